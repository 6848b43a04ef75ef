"""Work on what strangers made, in a process of its own that is ended when it takes too long."""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import ParamSpec, TypeVar

from hdgan.errors import HdganError, LabelError

MAX_MEMORY_BYTES = 8_000_000_000
"""Address space of the process, where the system can limit it."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def within_seconds(
    seconds: float,
    name: str,
    do: Callable[Arguments, Result],
    *arguments: Arguments.args,
    **named: Arguments.kwargs,
) -> Result:
    """What a function returns, or the error of ours that it raises.

    A process starts in half a second on an idle computer, which counts.

    Args:
        seconds: how long it may take.
        name: the file that it works on, for errors.
        do: a function of a module; it and its arguments travel to the process.
        arguments: for it.
        named: for it.

    Raises:
        LabelError: it took longer, or the process ended without a word, as for lack of memory.
    """
    context = get_context("spawn")  # a server has threads, which do not survive a fork
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_answer, args=(sender, do, arguments, named), name="hdgan-reader", daemon=True
    )
    process.start()
    sender.close()
    try:
        if not receiver.poll(seconds):
            raise LabelError(
                f"{name} takes longer to read than {seconds:g} s: its outlines have too many "
                "corners, or cross themselves too often. Simplify them, or export fewer."
            )
        error, result = receiver.recv()
    except EOFError:
        raise LabelError(
            f"{name} needs more memory to be read than there is. Export fewer objects."
        ) from None
    finally:
        process.kill()
        process.join()
        process.close()
        receiver.close()
    if error is not None:
        raise error
    answer: Result = result
    return answer


def _answer(
    sender: Connection,
    do: Callable[..., object],
    arguments: tuple[object, ...],
    named: dict[str, object],
) -> None:
    """In the process: what comes of it, or why nothing does."""
    _limit_memory()
    try:
        sender.send((None, do(*arguments, **named)))
    except HdganError as error:
        sender.send((error.with_traceback(None), None))
    except MemoryError:
        sender.close()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = MAX_MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MAX_MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))
