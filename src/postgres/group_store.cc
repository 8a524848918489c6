#include "postgres/group_store.h"

#include <utility>

#include "postgres/selection.h"
#include "postgres/transaction.h"

namespace heliograph::postgres {
namespace {

constexpr std::string_view kColumns =
    "g.tenant, g.name, g.selector, g.created_at, g.updated_at, CASE WHEN g.selector IS NULL THEN "
    "(SELECT count(*) FROM group_members m WHERE m.group_id = g.group_id) END, g.group_id ";

base::Result<action::Group> GroupAt(const Rows& rows, int row) {
  action::Group group;
  if (!rows.Get(row, 0).empty()) group.tenant = device::TenantId(rows.Get(row, 0));
  group.name = action::GroupName(rows.Get(row, 1));
  if (!rows.IsNull(row, 2)) {
    auto selector = action::ParseSelector(rows.Get(row, 2));
    if (!selector) {
      return base::MakeError(base::ErrorCode::kInternal,
                             "a group has no selector that can be read");
    }
    group.selector = *std::move(selector);
  }
  group.created_at = rows.GetTimestamp(row, 3);
  group.updated_at = rows.GetTimestamp(row, 4);
  group.members = rows.GetInt64(row, 5);
  return group;
}

struct Found {
  action::Group group;
  std::int64_t id = 0;
};

template <class AnySession>
base::Result<std::optional<Found>> Find(AnySession& session, const GroupStore::Tenant& tenant,
                                        const action::GroupName& name) {
  const auto rows =
      session.Execute(std::string("SELECT ").append(kColumns).append(
                          "FROM groups g WHERE g.tenant = coalesce($1::text, '') AND g.name = $2"),
                      {tenant, name});
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<Found>();
  auto group = GroupAt(*rows, 0);
  if (!group) return std::move(group).error();
  return std::optional(Found{*std::move(group), rows->GetInt64(0, 6)});
}

template <class AnySession>
base::Result<std::vector<device::ClientId>> ReadMembers(AnySession& session, std::int64_t group,
                                                        const device::ClientId& after,
                                                        std::int64_t limit) {
  const auto rows = session.Execute(
      "SELECT client_id FROM group_members WHERE group_id = $1::bigint AND client_id > $2 ORDER BY "
      "client_id LIMIT $3::bigint",
      {group, after, limit});
  if (!rows) return rows.error();
  std::vector<device::ClientId> ids;
  ids.reserve(static_cast<std::size_t>(rows->size()));
  for (int row = 0; row < rows->size(); ++row) ids.emplace_back(rows->Get(row, 0));
  return ids;
}

// With client ids, where they are few enough.
template <class AnySession>
base::Result<std::optional<action::Group>> Read(AnySession& session,
                                                const GroupStore::Tenant& tenant,
                                                const action::GroupName& name) {
  auto found = Find(session, tenant, name);
  if (!found) return std::move(found).error();
  if (!*found) return std::optional<action::Group>();
  action::Group& group = (*found)->group;
  const auto most = static_cast<std::int64_t>(action::kMembersInFull);
  if (!group.selector && group.members <= most) {
    auto ids = ReadMembers(session, (*found)->id, device::ClientId(), most);
    if (!ids) return std::move(ids).error();
    group.client_ids = *std::move(ids);
  }
  return std::optional(std::move(group));
}

// Only what is new is written.
base::Status ReplaceMembers(Transaction& transaction, std::int64_t group,
                            const std::vector<device::ClientId>& client_ids) {
  TextArray ids;
  for (const device::ClientId& id : client_ids) ids.Add(id.view());
  const auto gone = transaction.Execute(
      "DELETE FROM group_members m WHERE m.group_id = $1::bigint AND NOT EXISTS (SELECT FROM "
      "unnest($2::text[]) AS n(client_id) WHERE n.client_id = m.client_id)",
      {group, ids});
  if (!gone) return gone.error();
  const auto added = transaction.Execute(
      "INSERT INTO group_members (group_id, client_id) SELECT $1::bigint, client_id FROM "
      "unnest($2::text[]) AS n(client_id) ON CONFLICT DO NOTHING",
      {group, ids});
  if (!added) return added.error();
  return {};
}

}  // namespace

base::Result<Pool::Lease> GroupStore::Session() const {
  return pool_.Acquire(std::chrono::steady_clock::now() + wait_);
}

base::Result<GroupStore::PutGroup> GroupStore::Put(const Tenant& tenant,
                                                   const action::GroupName& name,
                                                   const action::GroupDefinition& definition) {
  auto session = Session();
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  std::optional<std::string> selector;
  if (definition.selector) selector = action::WriteSelector(*definition.selector);
  // A row that was inserted has no other version that somebody could have locked.
  const auto put = transaction->Execute(
      "INSERT INTO groups (tenant, name, selector) VALUES (coalesce($1::text, ''), $2, $3) "
      "ON CONFLICT (tenant, name) DO UPDATE SET selector = excluded.selector, updated_at = now() "
      "RETURNING group_id, xmax = 0",
      {tenant, name, selector});
  if (!put) return put.error();
  if (base::Status replaced =
          ReplaceMembers(*transaction, put->GetInt64(0, 0), definition.client_ids);
      !replaced) {
    return std::move(replaced).error();
  }
  auto group = Read(*transaction, tenant, name);
  if (!group) return std::move(group).error();
  if (base::Status committed = transaction->Commit(); !committed) {
    return std::move(committed).error();
  }
  return PutGroup{**std::move(group), put->GetBool(0, 1)};
}

base::Result<std::optional<action::Group>> GroupStore::Get(const Tenant& tenant,
                                                           const action::GroupName& name) {
  auto session = Session();
  if (!session) return std::move(session).error();
  return Read(**session, tenant, name);
}

base::Result<std::vector<action::Group>> GroupStore::List(const Tenant& tenant,
                                                          const action::GroupName& after,
                                                          std::int64_t limit) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto rows = (*session)->Execute(
      std::string("SELECT ").append(kColumns).append(
          "FROM groups g WHERE g.tenant = coalesce($1::text, '') AND g.name > $2 ORDER BY g.name "
          "LIMIT $3::bigint"),
      {tenant, after, limit});
  if (!rows) return rows.error();
  std::vector<action::Group> groups;
  for (int row = 0; row < rows->size(); ++row) {
    auto group = GroupAt(*rows, row);
    if (!group) return std::move(group).error();
    groups.push_back(*std::move(group));
  }
  return groups;
}

base::Result<std::optional<std::vector<device::ClientId>>> GroupStore::ListMembers(
    const Tenant& tenant, const action::GroupName& name, const device::ClientId& after,
    std::int64_t limit) {
  using Answer = std::optional<std::vector<device::ClientId>>;
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto found = Find(**session, tenant, name);
  if (!found) return found.error();
  if (!*found) return Answer();
  auto ids = ReadMembers(**session, (*found)->id, after, limit);
  if (!ids) return std::move(ids).error();
  return Answer(*std::move(ids));
}

base::Result<std::optional<std::vector<device::ClientId>>> GroupStore::Resolve(
    const Tenant& tenant, const action::GroupName& name, std::int64_t most) {
  using Answer = std::optional<std::vector<device::ClientId>>;
  auto session = Session();
  if (!session) return std::move(session).error();
  auto transaction = Transaction::Begin(**session);
  if (!transaction) return std::move(transaction).error();
  TargetSet set;
  set.tenant = tenant;
  set.group = name;
  const auto selection = Selection::Of(*transaction, set, 2);
  if (!selection && selection.error().code == base::ErrorCode::kNotFound) return Answer();
  if (!selection) return selection.error();
  const auto rows = transaction->Execute("SELECT client_id FROM (" + selection->text() +
                                             ") AS found ORDER BY client_id LIMIT $1::bigint",
                                         selection->With({most}));
  if (!rows) return rows.error();
  if (auto committed = transaction->Commit(); !committed) return std::move(committed).error();
  std::vector<device::ClientId> ids;
  ids.reserve(static_cast<std::size_t>(rows->size()));
  for (int row = 0; row < rows->size(); ++row) ids.emplace_back(rows->Get(row, 0));
  return Answer(std::move(ids));
}

base::Result<bool> GroupStore::Delete(const Tenant& tenant, const action::GroupName& name) {
  auto session = Session();
  if (!session) return std::move(session).error();
  const auto rows = (*session)->Execute(
      "WITH gone AS (DELETE FROM groups WHERE tenant = coalesce($1::text, '') AND name = $2 "
      "RETURNING group_id), members AS (DELETE FROM group_members m USING gone WHERE m.group_id = "
      "gone.group_id) SELECT group_id FROM gone",
      {tenant, name});
  if (!rows) return rows.error();
  return !rows->empty();
}

}  // namespace heliograph::postgres
