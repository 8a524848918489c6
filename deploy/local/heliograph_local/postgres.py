"""PostgreSQL: a private cluster of Debian's version 15, with a role that owns one database and is no superuser."""

import glob
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from . import files, homes, processes
from .problem import Problem
from .service import Service, program
from .settings import HOST, ROOT

FOLDER = ROOT / "deploy/local/postgres"
ROLE = "heliograph"


class Postgres(Service):
    name = "postgres"
    port_names = ("postgres",)
    stop_signal = signal.SIGINT  # "fast": ends sessions; SIGTERM would wait until every client has left
    stop_seconds = 30.0

    def __init__(self, settings):
        super().__init__(settings)
        self.account = homes.Account("postgres")

    @property
    def home(self) -> Path:
        return homes.home(self.settings.data, self.name, self.account)

    @property
    def password_file(self) -> Path:
        return self.settings.data / "postgres.password"

    def prepare(self) -> bool:
        home, changed = self.home, False
        for name in ("postgres", "postgres-admin"):
            if not (self.settings.data / f"{name}.password").exists():
                files.write(self.settings.data / f"{name}.password", secrets.token_hex(24) + "\n")
        for name in ("postgresql.conf", "pg_hba.conf"):
            text = files.fill(FOLDER / name, HOME=home, PORT=self.settings.ports["postgres"])
            changed |= files.write(home / name, text, 0o600, self.account.ids)
        if not (home / "data/PG_VERSION").exists():
            self._make_cluster(home)
        return changed

    def _make_cluster(self, home: Path) -> None:
        aside, password = home / "data.making", home / "admin.password"
        shutil.rmtree(aside, ignore_errors=True)
        # initdb runs as the server's account, which may not read ours.
        files.write(password, files.read_secret(self._admin_password_file) + "\n", 0o600, self.account.ids)
        command = [self._binary("initdb"), "--pgdata", str(aside), "--username", "postgres", f"--pwfile={password}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
        ended = subprocess.run(
            command, cwd=home, capture_output=True, text=True, check=False, **self.account.popen_arguments
        )
        password.unlink()
        if ended.returncode != 0:
            raise Problem(f"PostgreSQL's data folder could not be made:\n{ended.stderr}")
        os.rename(aside, home / "data")

    @staticmethod
    def _binary(name: str) -> str:
        return program(name, *glob.glob("/usr/lib/postgresql/15/bin"))

    @property
    def _admin_password_file(self) -> Path:
        return self.settings.data / "postgres-admin.password"

    def command(self) -> list:
        return [self._binary("postgres"), "-D", str(self.home / "data"), "-c", self.marker()]

    def marker(self) -> str:
        return f"config_file={self.home / 'postgresql.conf'}"

    def working_folder(self) -> Path:
        return self.home

    def launch(self) -> None:
        self._remove_stale_lock()
        super().launch()

    def _remove_stale_lock(self) -> None:
        """After a kill -9 the lock file names a process id that may be somebody else's by now; PostgreSQL then refuses."""
        lock = self.home / "data/postmaster.pid"
        try:
            pid = int(lock.read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return
        if self.marker() not in processes.arguments_of(pid):
            lock.unlink(missing_ok=True)

    def missing(self) -> str:
        import psycopg2

        try:
            with self.connect_as_admin(connect_timeout=1):
                pass
            self._ensure_role_and_database()
        except psycopg2.OperationalError as error:
            return str(error).strip().splitlines()[0]
        return ""

    def connect_as_admin(self, database="postgres", **options):
        import psycopg2

        connection = psycopg2.connect(
            host=HOST,
            port=self.settings.ports["postgres"],
            user="postgres",
            password=files.read_secret(self._admin_password_file),
            dbname=database,
            **options,
        )
        connection.autocommit = True
        return connection

    def _ensure_role_and_database(self) -> None:
        from psycopg2.extensions import encrypt_password

        connection = self.connect_as_admin()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,))
            if not cursor.fetchone():
                # The server gets the verifier only, so that no log of its can hold the password.
                verifier = encrypt_password(files.read_secret(self.password_file), ROLE, connection, "scram-sha-256")
                cursor.execute(
                    f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD %s", (verifier,)
                )
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (ROLE,))
            if not cursor.fetchone():
                self._create_database(cursor, ROLE)
        connection.close()

    @staticmethod
    def _create_database(cursor, name: str) -> None:
        cursor.execute(f'CREATE DATABASE "{name}" OWNER {ROLE}')
        cursor.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')

    def create_database(self, name: str) -> str:
        """Another empty database of the same role; its connection string."""
        connection = self.connect_as_admin()
        with connection.cursor() as cursor:
            self._create_database(cursor, name)
        connection.close()
        return self.connection_string(name)

    def connection_string(self, database: str = ROLE) -> str:
        password = files.read_secret(self.password_file)
        return f"postgresql://{ROLE}:{password}@{HOST}:{self.settings.ports['postgres']}/{database}"
