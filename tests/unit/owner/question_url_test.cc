#include "owner/question_url.h"

#include <gtest/gtest.h>

namespace heliograph::owner {
namespace {

using device::ClientId;

std::string UrlFor(const char* text, const char* client_id) {
  const auto url = QuestionUrl::Parse(text);
  if (!url) return url.error().message;
  const auto question = url->For(ClientId(client_id));
  return question ? *question : question.error().message;
}

TEST(QuestionUrl, NamesTheDeviceWhereItIsWanted) {
  EXPECT_EQ(UrlFor("https://id.example/devices/{client_id}/owner", "pv-1"),
            "https://id.example/devices/pv-1/owner");
  EXPECT_EQ(UrlFor("http://127.0.0.1:81/o?id={client_id}&dn={subject}", "a:b"),
            "http://127.0.0.1:81/o?id=a%3Ab&dn=CN%3Da%3Ab");
  EXPECT_EQ(UrlFor("https://id.example?{client_id}", "pv-1"), "https://id.example?pv-1");
  EXPECT_EQ(UrlFor("https://id.example/{client_id}/{client_id}", "a"), "https://id.example/a/a");
}

TEST(QuestionUrl, ADeviceCannotNameAnotherPath) {
  for (const char* id : {".", ".."}) {
    const auto path = QuestionUrl::Parse("https://id.example/devices/{client_id}/owner");
    EXPECT_FALSE(path->For(ClientId(id))) << "https://id.example/owner would be asked";
    EXPECT_TRUE(QuestionUrl::Parse("https://id.example/?id={client_id}")->For(ClientId(id)));
  }
  EXPECT_EQ(UrlFor("https://id.example/{client_id}", "..."), "https://id.example/...");
}

TEST(QuestionUrl, RefusesWhatIsNone) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "nothing"},
      {"https://id.example/owner", "nobody is named"},
      {"https://id.example/{subject}", "a part of the subject may be all that a service knows"},
      {"http://id.example/{client_id}", "answers that anybody on the way can change"},
      {"ftp://id.example/{client_id}", "another scheme"},
      {"https://{client_id}.example/", "a device would choose the host"},
      {"https://{client_id}", "a device would choose the host"},
      {"https://me:secret@id.example/{client_id}", "a password in the open"},
      {"https://id.example/{client_id}#here", "a fragment is never sent"},
      {"https://id.example/{clientid}", "a slip of the pen"},
      {"https://id.example/{client_id}/{", "half a name"},
      {"https://id.example/{client_id}/}", "half a name"},
      {"https://id.example/{client_id} ", "a space"},
  };
  for (const auto& [text, why] : cases) {
    const auto url = QuestionUrl::Parse(text);
    ASSERT_FALSE(url) << why;
    EXPECT_EQ(url.error().code, base::ErrorCode::kInvalidArgument) << why;
    EXPECT_TRUE(url.error().message.starts_with("owners.http.url ")) << url.error().message;
  }
}

TEST(SubjectOf, IsThePartThatTheBrokerVouchesFor) {
  EXPECT_EQ(SubjectOf(ClientId("pv-1")), "CN=pv-1");
}

}  // namespace
}  // namespace heliograph::owner
