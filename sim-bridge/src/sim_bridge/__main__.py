"""Command line of a simulator worker."""

import argparse
import importlib.metadata
import logging
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

import zmq

from sim_bridge.connection import CurveKeys, ServerConnection
from sim_bridge.fault_injection import parse_injection
from sim_bridge.greeting import Greeting, Refused
from sim_bridge.lifeline import Lifeline
from sim_bridge.simulator_pool import SimulatorPool
from sim_bridge.wire import LIMITS
from sim_bridge.worker import Worker

EXIT_STOPPED = 0
EXIT_USAGE = 2
EXIT_REFUSED = 3
EXIT_PACKAGE_MISSING = 4
EXIT_INTERNAL = 5

_EPILOG = """\
examples:
  python -m sim_bridge --server tcp://127.0.0.1:5555 --environments 8
  python -m sim_bridge --server tcp://10.0.0.5:5555 --detached \\
      --curve-server-key KEY --curve-secret-file worker.key

The worker ends when it is drained, on SIGTERM, or with the process that started it (not with --detached).
exit codes: 0 ended as asked, 2 wrong arguments, 3 refused by the server, 4 a simulator package is missing,
5 internal error.
"""

_FEWEST_IDLE_SIMULATORS = 16


def main(arguments: list[str] | None = None) -> int:
    """Runs a worker until it is told to stop; returns the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=options.log_level.upper(),
        stream=sys.stderr,
        format=f"%(asctime)s {options.worker_id} %(levelname)s %(name)s: %(message)s",
    )
    log = logging.getLogger("sim_bridge")
    lifeline = Lifeline(detached=options.detached)
    should_stop = _stop_reason(lifeline)
    try:
        greeting = Greeting(options.worker_id, options.environments)
        connection = ServerConnection(options.server, options.worker_id, _curve_keys(options))
    except importlib.metadata.PackageNotFoundError as error:
        log.error("the Python package %s is missing; `npm run setup` installs it", error.name)  # noqa: TRY400
        return EXIT_PACKAGE_MISSING
    except (zmq.ZMQError, ValueError, OSError) as error:
        log.error("cannot connect to %s: %s", options.server, error)  # noqa: TRY400
        return EXIT_USAGE
    if lifeline.descriptor is not None:
        connection.wake_on(lifeline.descriptor)
    # All episodes of a run may end in one tick: whoever keeps fewer loads simulators anew at every wave.
    idle_simulators = options.idle_simulators or max(_FEWEST_IDLE_SIMULATORS, options.environments)
    worker = Worker(connection, greeting, SimulatorPool(idle_simulators), options.inject)
    try:
        log.info("stopped: %s; ignored messages: %s", worker.run(should_stop), worker.ignored)
    except Refused as error:
        log.error("refused by the server: %s", error)  # noqa: TRY400
        return EXIT_REFUSED
    except Exception:
        log.exception("internal error")
        return EXIT_INTERNAL
    finally:
        connection.close()
    return EXIT_STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sim_bridge",
        description="Runs Meta-World and DMControl simulators for an l2m server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--server", required=True, metavar="ENDPOINT", help="ZeroMQ address of the server")
    parser.add_argument(
        "--worker-id",
        type=_worker_id,
        default=f"worker-{os.getpid()}",
        help="name, unique among the workers of a server",
    )
    parser.add_argument(
        "--environments",
        type=_count(LIMITS["environmentsPerWorker"]),
        default=8,
        help="episodes at a time (default 8)",
    )
    parser.add_argument(
        "--idle-simulators",
        type=_count(4096),
        help="loaded simulators kept while unused (default: one for each environment, at least 16; "
        "each takes 5 to 30 MB, a dog 120)",
    )
    parser.add_argument("--curve-server-key", metavar="KEY", help="the server's public key (Z85)")
    parser.add_argument(
        "--curve-secret-file", type=Path, metavar="FILE", help="holds this worker's secret key"
    )
    parser.add_argument("--detached", action="store_true", help="outlive the process that started the worker")
    parser.add_argument("--log-level", choices=["debug", "info", "warning", "error"], default="info")
    parser.add_argument("--inject", type=_injection, help=argparse.SUPPRESS)
    return parser


def _worker_id(text: str) -> str:
    if not re.fullmatch(r"[\w.:-]{1,128}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to 128 letters, digits or one of _ . : -")
    return text


def _count(maximum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text) <= maximum:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {maximum}")
        return int(text)

    return parse


def _injection(text: str) -> object:
    try:
        return parse_injection(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _curve_keys(options: argparse.Namespace) -> CurveKeys | None:
    if options.curve_server_key is None and options.curve_secret_file is None:
        return None
    if options.curve_server_key is None or options.curve_secret_file is None:
        raise ValueError("--curve-server-key and --curve-secret-file belong together")
    keys = CurveKeys(options.curve_server_key, options.curve_secret_file.read_text(encoding="ascii").strip())
    if not all(re.fullmatch(r"[\x21-\x7e]{40}", key) for key in (keys.server_public, keys.secret)):
        raise ValueError("a CURVE key is 40 characters of Z85")
    return keys


def _stop_reason(lifeline: Lifeline) -> Callable[[], str | None]:
    """What ends the worker from outside: signals, and the end of its parent."""
    received: list[str] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, note)
    # Ctrl-C in a terminal reaches the server's workers as well; the server drains them when it is ready to.
    signal.signal(signal.SIGINT, signal.SIG_IGN if lifeline.supervised else note)

    def reason() -> str | None:
        if received:
            return f"stopped by {received[0]}"
        return "the process that started this worker is gone" if lifeline.is_cut() else None

    return reason


def run() -> NoReturn:
    """Entry point of the console script."""
    sys.exit(main())


if __name__ == "__main__":
    run()
