"""What a user did that cannot be done, said in one line."""


class UserError(Exception):
    """A mistake of the user's: the command line prints its one line and leaves with exit code 2."""
