"""A browser window that notes everything that should not happen."""

from typing import Any

from wire import Served

BUSY_MS = 120_000  # for what trains or loads torch: the machine may be busy with other tests


class Watched:
    """A window on one server; `wrong` stays empty as long as nothing goes wrong."""

    def __init__(self, browser: Any, served: Served, lang: str, width: int, scheme: str) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            locale="zh-CN" if lang == "zh" else "en-GB",
            color_scheme=scheme,
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(BUSY_MS)
        self.served = served
        self.bases = [served.base]  # an open page may still ask the server that it came from
        self.wrong: list[str] = []
        self.page.on("dialog", lambda dialog: (self.wrong.append(dialog.message), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._said)
        self.page.on("request", self._asked)
        self.page.goto(served.address)

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((*self.bases, "data:")):
            self.wrong.append(request.url)

    def move(self, served: Served) -> None:
        """Go on with another server on the same folder."""
        self.served = served
        self.bases.append(served.base)
        self.page.goto(served.address)

    def open(self, path: str) -> Any:
        """Go to a page of the server; returns the response."""
        return self.page.goto(self.served.base + path)
