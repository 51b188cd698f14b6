"""A kernel for a lesson in no time: a process that has imported what all lessons import waits, and
forks for each of them.

    python forked_kernel.py wait SOCKET           # the process that forks
    python forked_kernel.py run SOCKET FILE       # what is started as a kernel, and ends with it
"""

import gc
import json
import os
import signal
import socket
import sys
from threading import Thread


def wait(path: str) -> None:
    """Fork a kernel for whoever connects."""
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as ipykernel does
    import matplotlib.pyplot  # noqa: F401
    from ipykernel.kernelapp import launch_new_instance

    import clipxai as cx

    cx.load()  # torch, and our own files
    gc.freeze()  # what all share is not looked through for garbage in each
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a kernel ended
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        while True:
            line, _ = listening.accept()
            if os.fork() == 0:
                break
            line.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    asked = json.loads(line.makefile().readline())
    os.environ.clear()
    os.environ.update(asked["environment"], JPY_PARENT_PID=str(os.getppid()))
    os.chdir(asked["folder"])
    # where what was started as a kernel is killed, this ends too
    Thread(target=lambda: line.recv(1) or os._exit(1), daemon=True).start()
    launch_new_instance(["-f", asked["file"]])


def run(path: str, file: str) -> None:
    """Until the kernel ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asked = {"environment": dict(os.environ), "folder": os.getcwd(), "file": file}
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        line.sendall(f"{json.dumps(asked)}\n".encode())
        line.recv(1)


if __name__ == "__main__":
    {"wait": wait, "run": run}[sys.argv[1]](*sys.argv[2:])
