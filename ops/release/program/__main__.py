"""Install, choose, upgrade and roll back releases of tradingd on this machine.

A release is a folder that never changes, /opt/tradingd/releases/VERSION; an instance is a link to
one, /opt/tradingd/instances/NAME. A running daemon resolved its link when it started, so nothing
here touches what runs until it is restarted, and going back is moving the link back.

    tradingd-release install tradingd-0.2.0-py3-none-any.whl --lock requirements.lock
    tradingd-release upgrade 0.2.0 paper        check, switch, restart, watch; back when it is ill
    tradingd-release switch 0.2.0 live          the link only: takes effect at the next start
    tradingd-release rollback paper             to the release before, restarted and watched
    tradingd-release list

Standard library only, run by the system's Python: this must work when every release is broken.
"""

import argparse
import sys
from pathlib import Path

from building import install
from folders import Site
from moving import rollback, show_all, switch, upgrade
from refusal import FAILED, Refusal

KEEP = 3


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    made = argparse.ArgumentParser(
        prog="tradingd-release",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--root", type=Path, default=Path("/"), help="act below this folder")
    verbs = made.add_subparsers(metavar="VERB", required=True)

    one = verbs.add_parser("install", help="build a release from a wheel, or adopt a tree")
    one.add_argument("wheel", nargs="?")
    one.add_argument("--lock", help="requirements with hashes that the wheel was tested with")
    one.add_argument("--tree", type=Path, help="a release that was built elsewhere")
    one.add_argument("--version", help="name of the release; default: what it says itself")
    one.add_argument("--python", help="interpreter, visible to the units (not in a home folder)")
    one.add_argument("--keep", type=int, default=KEEP, help="releases kept, used ones aside")
    one.set_defaults(run=install)

    one = verbs.add_parser("switch", help="move links; takes effect at the next start")
    one.add_argument("release")
    one.add_argument("instances", nargs="+")
    one.set_defaults(run=switch)

    one = verbs.add_parser("upgrade", help="check, switch, restart, watch, go back when it is ill")
    one.add_argument("release")
    one.add_argument("instances", nargs="*", help="default: every configured one")
    _moving(one)
    one.set_defaults(run=upgrade)

    one = verbs.add_parser("rollback", help="go back to the release before")
    one.add_argument("instances", nargs="+")
    _moving(one)
    one.set_defaults(run=rollback)

    one = verbs.add_parser("list", help="what is installed and who uses it")
    one.set_defaults(run=show_all)
    return made


def _moving(one: argparse.ArgumentParser) -> None:
    one.add_argument("--now", action="store_true", help="in an open market too")
    one.add_argument("--healthy", type=float, default=120.0, help="seconds to watch (default 120)")


def main(argv: list[str] | None = None) -> int:
    """Run one verb; return the exit code."""
    options = parser().parse_args(argv)
    try:
        options.run(Site(options.root.resolve()), options)
    except Refusal as refusal:
        sys.stderr.write(f"tradingd-release: {refusal}\n")
        return refusal.code
    except OSError as error:
        sys.stderr.write(f"tradingd-release: {error}\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
