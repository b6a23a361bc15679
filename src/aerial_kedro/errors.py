"""The one error type whose message is meant for the person who started the run."""


class AerialError(Exception):
    """Something the user can mend: the message names the thing, the place and the remedy.

    A run that ends with it prints the message alone, without a traceback.
    """
