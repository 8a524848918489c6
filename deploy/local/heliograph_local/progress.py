"""What the user sees while something takes time: the step, the seconds, and what is going on."""

import sys
import threading
import time
from contextlib import contextmanager

WIDTH = 12
QUIET_SECONDS = 15  # where there is no terminal, a line this often says that it goes on


class Progress:
    """Threads: any thread. One line on a terminal, rewritten; whole lines elsewhere."""

    def __init__(self, output=sys.stdout):
        self._output = output
        self._live = output.isatty()
        self._lock = threading.Lock()
        self._running = {}  # title -> (begin, note)
        self._ticker = None

    @contextmanager
    def step(self, title: str):
        """Shows `title` with its seconds until the block ends. Yields a function that changes the note beside it."""
        with self._lock:
            self._running[title] = [time.monotonic(), "", time.monotonic()]
            if self._ticker is None:
                self._ticker = threading.Thread(target=self._tick, name="progress", daemon=True)
                self._ticker.start()
        try:
            yield lambda note: self._note(title, note)
        except BaseException:
            self._end(title, "failed")
            raise
        else:
            self._end(title, None)

    def line(self, text: str) -> None:
        with self._lock:
            self._clear()
            print(text, file=self._output, flush=True)

    def _note(self, title: str, note: str) -> None:
        with self._lock:
            if title in self._running:
                self._running[title][1] = note

    def _end(self, title: str, outcome) -> None:
        with self._lock:
            begin, note, _ = self._running.pop(title)
            self._clear()
            text = f"  {title:{WIDTH}} {time.monotonic() - begin:6.1f} s  {outcome or note or 'ready'}"
            print(text.rstrip(), file=self._output, flush=True)

    def _tick(self) -> None:
        while True:
            time.sleep(0.2)
            with self._lock:
                if not self._running:
                    self._ticker = None
                    return
                now = time.monotonic()
                if self._live:
                    parts = [f"{title} {now - begin:.0f} s {note}".rstrip() for title, (begin, note, _) in self._running.items()]
                    self._clear()
                    self._output.write("  " + ("  ".join(parts))[:110])
                    self._output.flush()
                    continue
                for title, state in self._running.items():
                    if now - state[2] >= QUIET_SECONDS:
                        state[2] = now
                        print(f"  {title:{WIDTH}} {now - state[0]:6.0f} s  {state[1] or '…'}", file=self._output, flush=True)

    def _clear(self) -> None:
        if self._live:
            self._output.write("\r\033[K")
