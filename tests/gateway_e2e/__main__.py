"""Command to install or run Gateways."""

import argparse
import json
import signal
import sys
from typing import Final

from .editions import EDITIONS
from .gateways import GatewayProcessError, serve_gateway
from .install import PACKAGES, InstallError, install_gateway, lock

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def parse_arguments() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="scripts/gateways", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("install", help="install the Gateways")
    commands.add_parser("lock", help="update the lock files")
    run = commands.add_parser("run", help="run a Gateway until it is interrupted")
    run.add_argument("--protocol", type=int, choices=EDITIONS, default=max(EDITIONS))
    run.add_argument("--port", type=int, help="default: a free port")
    run.add_argument("--token", help="default: a new token")
    run.add_argument("--mode", choices=("token", "password"), default="token")
    return parser.parse_args()


def exit_on_signal(*_: object) -> None:
    """Exit once; cleanup is not interrupted."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


def run(protocol: int, port: int | None, token: str | None, mode: str) -> None:
    """Run a Gateway and print its details as JSON."""
    for number in STOP_SIGNALS:
        signal.signal(number, exit_on_signal)
    with serve_gateway(protocol, port=port, token=token, mode=mode) as gateway:
        names = ("url", "token", "protocol", "model_url")
        print(json.dumps({name: getattr(gateway, name) for name in names}), flush=True)
        signal.pause()


def main() -> None:
    """Run the command."""
    arguments = parse_arguments()
    try:
        match arguments.command:
            case "install":
                for protocol in EDITIONS:
                    install_gateway(protocol)
            case "lock":
                for name in PACKAGES:
                    lock(name)
            case "run":
                run(
                    arguments.protocol,
                    arguments.port,
                    arguments.token,
                    arguments.mode,
                )
    except (InstallError, GatewayProcessError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
