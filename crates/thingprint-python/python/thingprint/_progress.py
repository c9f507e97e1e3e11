"""How far a reading is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TypeAlias

#: Who is told how far a reading is: bytes that are done, and all of them where that is known. True shows a bar in a
#: notebook, False shows none, and None shows one where the reading takes a while.
Progress: TypeAlias = Callable[[int, int | None], object] | bool | None

#: Seconds after which a bar appears where none was asked for.
_PATIENCE_S = 3.0


class Shown:
    """Tells of progress while it is entered."""

    def __init__(self, progress: Progress) -> None:
        self._tell = progress if callable(progress) else None
        self._bar: _Bar | None = None
        self._may_show = progress is not False and self._tell is None and _is_notebook()
        self._start = time.monotonic() - (_PATIENCE_S if progress is True else 0.0)
        self._last: tuple[int, int | None] | None = None

    def __enter__(self) -> Shown:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def update(self, done: int, total: int | None) -> None:
        """So much is done."""
        if (done, total) == self._last:
            return
        self._last = (done, total)
        if self._tell is not None:
            self._tell(done, total)
        elif self._may_show and time.monotonic() - self._start >= _PATIENCE_S:
            self._bar = self._bar or _Bar()
            self._bar.show(done, total)


class _Bar:
    """A bar in a notebook, which goes away when the reading ends."""

    def __init__(self) -> None:
        from IPython.display import display

        self._handle = display({"text/plain": ""}, raw=True, display_id=True)  # type: ignore[no-untyped-call,unused-ignore]

    def show(self, done: int, total: int | None) -> None:
        megabytes = f"{done / 1e6:.0f} MB" if total is None else f"{done / 1e6:.0f} of {total / 1e6:.0f} MB"
        value = "" if total is None else f' value="{done}" max="{total}"'
        page = {"text/plain": megabytes, "text/html": f"<progress{value}></progress> {megabytes}"}
        self._handle.update(page, raw=True)

    def close(self) -> None:
        self._handle.update({"text/plain": ""}, raw=True)


def _is_notebook() -> bool:
    """Whether there is a notebook to show a bar in."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"
