"""Own a world until told to end."""

import argparse
import logging
import sys
from pathlib import Path

from filelock import Timeout

from firstwatch.errors import FirstwatchError
from gameday.world.folder import Folder
from gameday.world.supervisor import Supervisor


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m gameday.world", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--control-plane", type=Path, help="a folder with the programs of a real one")
    parser.add_argument("--speed", type=float, default=1, help="how many times as fast its time goes")
    given = parser.parse_args()
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    try:
        Supervisor(Folder(given.dir), given.control_plane, given.speed).run()
    except Timeout:
        logging.getLogger(__name__).error("another world holds %s", given.dir)
        raise SystemExit(2) from None
    except FirstwatchError as error:
        logging.getLogger(__name__).error("%s", error)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
