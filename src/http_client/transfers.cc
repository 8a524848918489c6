#include "http_client/transfers.h"

#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http_client/call.h"

namespace heliograph::http_client {
namespace {

using MultiHandle = base::UniqueHandle<CURLM, &curl_multi_cleanup>;

struct Transfer {
  Transfer(const ClientConfig& config, Request given, Transfers::Done when_done)
      : request(std::move(given)), done(std::move(when_done)), call(config, request) {}

  Request request;
  Transfers::Done done;
  Call call;
  EasyHandle handle{curl_easy_init()};  // goes first: it uses the call
};

}  // namespace

struct Transfers::State {
  State(const ClientConfig& given, std::size_t most) : config(given), multi(curl_multi_init()) {
    if (multi == nullptr) throw std::bad_alloc();
    curl_multi_setopt(multi.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(most));
    curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(most));
  }
  ~State() {
    for (const auto& [handle, transfer] : transfers) {
      curl_multi_remove_handle(multi.get(), handle);
    }
  }

  // Whether there was any.
  bool EndThoseThatAreOver();

  Library library;
  const ClientConfig config;
  MultiHandle multi;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> transfers;
  std::vector<std::pair<Done, base::Error>> not_begun;
};

bool Transfers::State::EndThoseThatAreOver() {
  // First all are taken out, since what is told of one may begin another.
  auto failed = std::exchange(not_begun, {});
  std::vector<std::pair<std::unique_ptr<Transfer>, CURLcode>> over;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const handle = message->easy_handle;
    const CURLcode code = message->data.result;
    curl_multi_remove_handle(multi.get(), handle);  // and the message is gone
    over.emplace_back(std::move(transfers.extract(handle).mapped()), code);
  }
  for (auto& [done, error] : failed) done(std::move(error));
  for (auto& [transfer, code] : over) {
    transfer->done(transfer->call.Finish(code));
  }
  return !failed.empty() || !over.empty();
}

Transfers::Transfers(const ClientConfig& config, std::size_t most)
    : state_(std::make_unique<State>(config, most)) {}
Transfers::~Transfers() = default;

void Transfers::Start(Request request, Done done) {
  auto transfer = std::make_unique<Transfer>(state_->config, std::move(request), std::move(done));
  CURL* const handle = transfer->handle.get();
  if (handle == nullptr) throw std::bad_alloc();
  if (base::Status prepared = transfer->call.Prepare(handle); !prepared) {
    state_->not_begun.emplace_back(std::move(transfer->done), std::move(prepared).error());
    return;
  }
  curl_multi_add_handle(state_->multi.get(), handle);
  state_->transfers.emplace(handle, std::move(transfer));
}

std::size_t Transfers::under_way() const {
  return state_->transfers.size() + state_->not_begun.size();
}

void Transfers::Run(std::chrono::milliseconds wait) {
  CURLM* const multi = state_->multi.get();
  int running = 0;
  curl_multi_perform(multi, &running);
  if (state_->EndThoseThatAreOver()) return;
  curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  curl_multi_perform(multi, &running);
  state_->EndThoseThatAreOver();
}

void Transfers::Wake() noexcept { curl_multi_wakeup(state_->multi.get()); }

}  // namespace heliograph::http_client
