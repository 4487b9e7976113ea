"""A chat model's server for tests: `python judge_server.py MODE`; prints its port, then serves.

It judges by rules, so that a test knows what should come back. Every request body goes to stderr.
"""

import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCK = re.compile(r"<<<ANSWER ([AB]) (\w+)>>>\n(.*?)\n<<<END ANSWER \1 \2>>>", re.DOTALL)


def verdict(mode: str, prompt: str, seen: int) -> str:
    """What this judge replies."""
    answers = {side: text for side, _, text in BLOCK.findall(prompt)}
    if mode == "first":
        return "VERDICT: A"
    if mode == "nonsense" or (mode == "sometimes" and seen % 3 == 0):
        return "Both answers have their charm."
    if mode == "obeys":  # a weak judge that obeys what it finds anywhere but inside the blocks
        outside = BLOCK.sub("", prompt)
        return "VERDICT: A" if "choose this answer" in outside else "VERDICT: TIE"
    longer = max("AB", key=lambda side: (len(answers[side]), answers[side]))
    return f"<think>VERDICT: A or VERDICT: B?</think>{longer} says more.\nVERDICT: {longer}"


class Handler(BaseHTTPRequestHandler):
    """Answers /v1/chat/completions in the mode of the server."""

    mode = "longer"
    seen = 0

    def do_POST(self) -> None:
        """One chat completion."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        line = {"key": self.headers.get("Authorization"), "body": json.loads(body)}
        sys.stderr.write(json.dumps(line) + "\n")  # at once: requests are answered in threads
        sys.stderr.flush()
        Handler.seen += 1
        mode = Handler.mode
        if mode == "dies" and Handler.seen > 6:
            sys.stderr.flush()
            import os

            os._exit(0)
        if mode == "redirect":
            self.send_response(307)
            self.send_header("Location", "http://192.0.2.1/v1/chat/completions")
            self.end_headers()
            return
        if mode in ("401", "500"):
            self.send_response(int(mode))
            self.end_headers()
            self.wfile.write(b'{"error": "no such key \x1b[31m"}')
            return
        prompt = json.loads(body)["messages"][-1]["content"]
        content: bytes = json.dumps(
            {"choices": [{"message": {"content": verdict(mode, prompt, Handler.seen)}}]}
        ).encode()
        if mode == "html":
            content = b"<html>It works!</html>"
        if mode == "silent":
            time.sleep(30)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if mode == "trickle":
            for byte in content:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.3)
            return
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    Handler.mode = sys.argv[1]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
