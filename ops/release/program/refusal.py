"""The one kind of error a person is meant to read."""

FAILED = 70
REFUSED = 51
USAGE = 2


class Refusal(Exception):
    """One line for a person, and the exit code."""

    def __init__(self, what: str, *, where: object = "", next_step: str = "", code: int = FAILED):
        parts = [what, f"at: {where}" if where else "", f"next: {next_step}" if next_step else ""]
        super().__init__(" | ".join(part for part in parts if part))
        self.code = code
