"""Runs LNbits in the current folder, on a free port, until standard input is closed.

The pipe to the parent is closed when the parent ends, even if it is killed.
"""

import os
import sys
import sysconfig
import threading

import uvicorn


def exit_with_the_parent():
    sys.stdin.buffer.read()
    os._exit(0)


# LNbits opens `lnbits/static` relative to the current folder.
os.symlink(os.path.join(sysconfig.get_path("purelib"), "lnbits"), "lnbits")
threading.Thread(target=exit_with_the_parent, daemon=True).start()
uvicorn.run("lnbits.__main__:app", host="127.0.0.1", port=0)
