"""Connections that are only rows, made by SQL: as many as no machine has devices for."""

import time

from harness.stack import Stack

FILLER = "x" * 380
SITES = 100
# {online}: of n, is it online? {tenant}: of n, whose it is.
FILL = (
    "INSERT INTO connections SELECT '{name}' || n, {tenant}, CASE WHEN {online} THEN 'online' ELSE 'offline' END,"
    " now() - interval '1 day', 'said_online', now() - n * interval '1 second', NULL, 'fleet', '1.0.0', 1, 0, 0"
    " FROM generate_series({first}, {last}) AS n ORDER BY n::text",
    "INSERT INTO connection_descriptions SELECT '{name}' || n, ('{{\"fqdn\":\"{name}' || n || '.example.com\",\"machine_id\":\"' ||"
    " md5('{name}' || n) || '\",\"note\":\"{filler}\"}}')::json, '{{\"rhc-worker\":{{\"version\":\"1\"}}}}',"
    " ('{{\"site\":\"s' || n % {sites} || '\"}}')::json FROM generate_series({first}, {last}) AS n",
    # What labels_of gives for each of them; made once for each label, and in the order of the index.
    "INSERT INTO connection_labels SELECT label, '{name}' || n FROM generate_series({first}, {last}) AS n JOIN"
    " (SELECT site, tag_label('site', 's' || site) AS label FROM generate_series(0, {sites} - 1) AS site OFFSET 0) AS l"
    " ON n % {sites} = site ORDER BY 1, 2",
    "INSERT INTO connection_labels SELECT label, '{name}' || n FROM (SELECT dispatcher_label('rhc-worker') AS label OFFSET 0) AS l,"
    " generate_series({first}, {last}) AS n ORDER BY 1, 2",
    "INSERT INTO intervals (client_id, online_from, opened_generation, opened_partition, opened_offset, online_until, reason)"
    " SELECT '{name}' || n, now() - interval '1 day', 1, 0, 0, CASE WHEN {online} THEN NULL ELSE now() - interval '1 hour' END,"
    " CASE WHEN {online} THEN NULL ELSE 'said_offline' END FROM generate_series({first}, {last}) AS n",
)
QUICK = ("fsync = off", "full_page_writes = off", "max_wal_size = '16GB'", "maintenance_work_mem = '256MB'")


def fill(stack: Stack, name: str, first: int, last: int, tenant: str, online: str) -> None:
    """Connections named `name` and a number; `tenant` and `online` are SQL, of n."""
    began = time.monotonic()
    values = {"name": name, "tenant": tenant, "online": online, "sites": SITES, "filler": FILLER, "first": first, "last": last}
    # A crash in the meantime would cost this measurement only.
    _as_admin(stack, *(f"ALTER SYSTEM SET {setting}" for setting in QUICK), "SELECT pg_reload_conf()")
    for statement in FILL:
        stack.query("SET synchronous_commit = off;" + statement.format(**values).replace("%", "%%"), *())
    wrong = stack.query(
        "SELECT count(*) AS n FROM connection_descriptions AS d, labels_of(d.tags, d.dispatchers) AS l(label) WHERE client_id = ANY(%s)"
        " AND NOT EXISTS (SELECT FROM connection_labels AS c WHERE c.label = l.label AND c.client_id = d.client_id)",
        [f"{name}{n}" for n in range(first, min(last, first + 300))],
    )  # fmt: skip
    assert wrong[0]["n"] == 0, "labels are not what the database makes itself"
    _as_admin(stack, "VACUUM ANALYZE", "ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()", "CHECKPOINT")
    print(f"{last:,} rows after {time.monotonic() - began:.0f} s", flush=True)


def _as_admin(stack: Stack, *statements: str) -> None:
    connection = stack.postgres.connect_as_admin("heliograph")
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        connection.close()
