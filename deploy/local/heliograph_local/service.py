"""What a server and a daemon have in common: started in the background, known by an argument, waited for, ended."""

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from . import files, network, processes
from .problem import Problem
from .settings import Settings


class Service(ABC):
    """One process of the stack. Threads: one thread at a time; different services may be used from different threads."""

    name = ""
    port_names = ()  # of Settings.ports, that must be free before it starts
    stop_signal = signal.SIGTERM
    stop_seconds = 15.0
    ready_seconds = 60.0
    account = None  # homes.Account, or None: whoever calls

    def __init__(self, settings: Settings):
        self.settings = settings
        self._child = None

    @abstractmethod
    def prepare(self) -> bool:
        """Writes what it reads. True: something is different from before, so a running process is out of date."""

    @abstractmethod
    def command(self) -> list:
        """What to run."""

    @abstractmethod
    def marker(self) -> str:
        """The argument of `command` that no other process has."""

    @abstractmethod
    def missing(self) -> str:
        """Why it is not ready yet, in a few words; empty when it is ready. Answers within a second or so."""

    def working_folder(self) -> Path:
        return self.settings.data

    def environment(self) -> dict:
        return {}

    @property
    def pid_file(self) -> Path:
        return self.settings.run / f"{self.name}.pid"

    @property
    def log_file(self) -> Path:
        return self.settings.log / f"{self.name}.log"

    def pid(self) -> int:
        """The process id, or 0 when it does not run."""
        # Also while the kernel starts its program, when it has no arguments to be known by. One that has ended must be
        # asked, too, or it would stay a zombie.
        if self._child is not None and self._child.poll() is None:
            return self._child.pid
        try:
            hint = int(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            hint = 0
        return processes.find(self.marker(), hint)

    def start(self) -> bool:
        """Starts it unless it runs as it should. False: it did already."""
        changed = self.prepare()
        pid = self.pid()
        if pid and not changed and not self._is_outdated(pid):
            files.write(self.pid_file, f"{pid}\n", 0o644)
            return False
        if pid:
            self.stop()
        self.launch()
        return True

    def launch(self) -> None:
        for name in self.port_names:
            network.require_free(self.settings.ports[name], name)
        account = self.account.popen_arguments if self.account else None
        self._child = processes.start(
            self.command(), self.log_file, self.working_folder(), self.environment(), account
        )
        files.write(self.pid_file, f"{self._child.pid}\n", 0o644)

    def wait(self, seconds: float = 0) -> None:
        """Returns when it is ready; a Problem when it ends instead or takes too long."""
        deadline = time.monotonic() + (seconds or self.ready_seconds)
        while reason := self.missing():
            if not self.pid():
                raise Problem(f"{self.name} ended while starting. Its log, {self.log_file}, ends with:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise Problem(
                    f"{self.name} is not ready after {seconds or self.ready_seconds:.0f} s: {reason}. "
                    f"Its log, {self.log_file}, ends with:\n{self.log_tail()}"
                )
            time.sleep(0.05)

    def stop(self) -> bool:
        """Ends it as it wants to be ended. False: it did not in time and was killed."""
        pid = self.pid()
        gently = processes.end(pid, self.stop_signal, self.stop_seconds) if pid else True
        self._forget()
        return gently

    def kill(self) -> None:
        """As a crash would: SIGKILL. The process id file stays, as it would."""
        pid = self.pid()
        if pid:
            processes.end(pid, signal.SIGKILL, 0)
        if self._child is not None:
            self._child.wait()

    def pause(self) -> None:
        processes.send(self._running(), signal.SIGSTOP)

    def resume(self) -> None:
        """Does nothing when it is not paused."""
        if pid := self.pid():
            processes.send(pid, signal.SIGCONT)

    def log_tail(self) -> str:
        return files.tail(self.log_file)

    def _running(self) -> int:
        pid = self.pid()
        if not pid:
            raise Problem(f"{self.name} does not run")
        return pid

    def _forget(self) -> None:
        self.pid_file.unlink(missing_ok=True)
        if self._child is not None:
            try:
                self._child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                pass
            self._child = None

    @staticmethod
    def _is_outdated(pid: int) -> bool:
        """Was its program built anew since it started?"""
        try:
            return os.readlink(f"/proc/{pid}/exe").endswith(" (deleted)")
        except OSError:
            return False  # another account's process: not one of the programs that we build


def program(name: str, *folders: str) -> str:
    """The full path of an installed program; also those that only root has in its PATH."""
    found = shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    if not found:
        raise Problem(f"The program '{name}' is not installed. ./dev build installs what is missing (Debian 12).")
    return found
