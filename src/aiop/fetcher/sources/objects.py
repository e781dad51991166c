"""What a path in an object store means: stores have no folders, so it is asked for in two ways."""

from collections.abc import Callable, Iterator

from aiop.fetcher.errors import AccessDenied, FetchError, MissingCredentials, NotFound
from aiop.fetcher.listing import RemoteFile, single


def files_at(
    path: str, alone: Callable[[str], RemoteFile], below: Callable[[str], Iterator[RemoteFile]]
) -> Iterator[RemoteFile]:
    """The object named ``path`` if there is one, else all objects below it.

    ``alone`` gives an object by its name or raises FetchError, ``below`` lists those that begin with a prefix. The
    right to read one object comes without the right to list, and the other way round: a refusal counts once both are
    tried.
    """
    refused: FetchError | None = None
    if path and not path.endswith("/"):
        try:
            yield single(alone(path))
        except NotFound:
            pass
        except (AccessDenied, MissingCredentials) as error:
            refused = error
        else:
            return
    found = False
    for file in below(f"{path.rstrip('/')}/" if path else ""):
        found = True
        yield file
    if refused is not None and not found:
        raise refused
