"""Commands about the conversation under way: writing, reading, branches, numbers."""

from foundry_tui.cli.plain_answers import answer, ask, need_somebody, prepared, use_of
from foundry_tui.cli.plain_commands import Command, number_in
from foundry_tui.cli.plain_session import Session
from foundry_tui.cli.plain_words import count_words, unquoted
from foundry_tui.cli.plain_words_chat import (
    answer_line,
    branch_lines,
    code_blocks,
    code_line,
    context_line,
    place_of,
    speaker,
    timing_lines,
    turn_line,
)
from foundry_tui.cli.plain_words_kept import conversation_line
from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Turn
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.services.files import TextFile, read_text, write_new

__all__ = ["COMMANDS"]

_WRITING, _READING, _MEASURING = "Writing", "Reading", "Measuring"
_AROUND_CHARACTERS = 60
_CODE = "code"


async def _long(session: Session, text: str) -> None:
    if session.is_interactive:
        session.say("Type as many lines as you like. A line with a single dot sends them.")
    await ask(session, await session.read_long())


async def _send(session: Session, text: str) -> None:
    await ask(session, "")


async def _attach(session: Session, text: str) -> None:
    file = await read_text(unquoted(text))
    session.files.append(file)
    session.say(f"Attached: {_file(file)}. It goes with your next question.")


def _file(file: TextFile) -> str:
    lines = count_words(len(file.text.splitlines()), "line")
    return f"{clean_line(file.name, 80)}, {bytes_in_words(len(file.text.encode(errors='replace')))}, {lines}"


async def _detach(session: Session, text: str) -> None:
    if not session.files and not session.draft:
        session.say("Nothing is attached.")
        return
    names = [clean_line(file.name, 80) for file in session.files]
    session.files.clear()
    session.draft = ""
    session.say(f"Taken away: {', '.join(names) or 'the prompt'}.")


async def _again(session: Session, text: str) -> None:
    turn = session.turn(text, Role.ASSISTANT)
    need_somebody(session)
    session.dialogue.step_before(turn.id)
    await answer(session)


async def _edit(session: Session, text: str) -> None:
    turn = session.turn(text, Role.USER)
    session.say(f"The question was:\n{turn.text}")
    new = await session.ask("Type the new one, or /long for several lines. An empty line leaves it as it is.")
    if not new.strip():
        session.say("It stays as it is.")
        return
    await ask(session, new, instead_of=turn.id)


async def _new(session: Session, text: str) -> None:
    session.dialogue.new()
    session.say("A new conversation.")


async def _messages(session: Session, text: str) -> None:
    conversation = session.dialogue.conversation
    lines = [
        turn_line(number, turn, conversation) for number, turn in enumerate(conversation.path(), start=1)
    ]
    session.read_out([conversation_line(conversation, is_kept=session.dialogue.is_kept), *lines])


async def _read(session: Session, text: str) -> None:
    turn = session.turn(text, None if text else Role.ASSISTANT)
    number = session.dialogue.conversation.path().index(turn) + 1
    place = place_of(turn, session.dialogue.conversation)
    session.say(
        f"Message {number}, {speaker(turn)}{f', {place}' if place else ''}:\n{turn.text or 'No text.'}"
    )
    if turn.role is Role.ASSISTANT and turn.trace is None:
        session.say(answer_line(turn))


async def _thoughts(session: Session, text: str) -> None:
    turn = session.turn(text, Role.ASSISTANT)
    session.say(turn.reasoning or "It did not think aloud.")


async def _find(session: Session, text: str) -> None:
    wanted = text.casefold()
    lines: list[str] = []
    count = 0
    for number, turn in enumerate(session.dialogue.conversation.path(), start=1):
        found = turn.text.casefold().count(wanted)
        if found:
            count += found
            times = "" if found == 1 else f", {found} times"
            lines.append(f"Message {number}, {speaker(turn)}{times}: {_around(turn.text, text)}")
    places = f"{count_words(count, 'place')} in {count_words(len(lines), 'message')}"
    session.read_out([f"Found in {places}." if lines else "Not found in this conversation.", *lines])


def _around(text: str, wanted: str) -> str:
    # Folding may change lengths; then the words are near the middle all the same.
    at = text.casefold().find(wanted.casefold())
    start = max(0, at - _AROUND_CHARACTERS)
    return clean_line(text[start : at + len(wanted) + _AROUND_CHARACTERS])


async def _code(session: Session, text: str) -> None:
    blocks = code_blocks(session.turn("", Role.ASSISTANT).text)
    if not blocks:
        session.say("There is no code in the last answer.")
    elif text or len(blocks) == 1:
        block = blocks[number_in(text or "1", len(blocks), "piece of code", "in the last answer") - 1]
        session.say(block.text.removesuffix("\n"))
    else:
        lines = [code_line(number, block) for number, block in enumerate(blocks, start=1)]
        session.read_out([f"{count_words(len(blocks), 'piece')} of code in the last answer.", *lines])


async def _save(session: Session, text: str) -> None:
    what, _, rest = text.partition(" ")
    if what.casefold() == _CODE:
        number, _, path = rest.strip().partition(" ")
        blocks = code_blocks(session.turn("", Role.ASSISTANT).text)
        content = blocks[number_in(number, len(blocks), "piece of code", "in the last answer") - 1].text
    else:
        is_numbered = what.isdecimal()
        path = rest if is_numbered else text
        content = session.turn(what if is_numbered else "", None if is_numbered else Role.ASSISTANT).text
        content += "" if content.endswith("\n") else "\n"
    written = await write_new(unquoted(path), content)
    session.say(f"Written to {clean_line(str(written))}.")


async def _branches(session: Session, text: str) -> None:
    lines = branch_lines(session.dialogue.conversation)
    session.read_out(
        lines or ["There is one branch only. /edit changes a question, /again asks for an answer again."]
    )


async def _branch(session: Session, text: str) -> None:
    conversation = session.dialogue.conversation
    wanted, _, message = text.partition(" ")
    if message:
        turn = session.turn(message.strip())
    else:
        forks = [turn for turn in conversation.path() if len(conversation.siblings(turn)) > 1]
        if not forks:
            raise BadInput("there is one branch only", remedy="/edit and /again make others")
        turn = forks[-1]
    siblings = conversation.siblings(turn)
    place = number_in(wanted, len(siblings), "branch") - 1
    session.dialogue.switch(turn.id, place - siblings.index(turn))
    path = session.dialogue.conversation.path()
    number = path.index(siblings[place]) + 1
    session.say(f"Branch {place + 1} of {len(siblings)}, from message {number} on:")
    _tell_from(session, path[number - 1 :], number)


def _tell_from(session: Session, turns: tuple[Turn, ...], number: int) -> None:
    conversation = session.dialogue.conversation
    session.read_out([turn_line(n, turn, conversation) for n, turn in enumerate(turns, start=number)])


async def _numbers(session: Session, text: str) -> None:
    session.say(answer_line(session.turn(text, Role.ASSISTANT)))


async def _timings(session: Session, text: str) -> None:
    turn = session.turn(text, Role.ASSISTANT)
    if turn.trace is None:
        session.say(answer_line(turn))
        return
    session.read_out(timing_lines(turn.trace))


async def _context(session: Session, text: str) -> None:
    use = use_of(session, prepared(session, ""))
    session.say(context_line(use, session.dialogue.options.max_tokens))


COMMANDS = (
    Command(
        names=("long",),
        group=_WRITING,
        help="write a question of many lines, up to a line with a single dot",
        example="/long",
        run=_long,
    ),
    Command(
        names=("send",),
        group=_WRITING,
        help="send what is attached without writing anything to it",
        example="/send",
        run=_send,
    ),
    Command(
        names=("attach",),
        group=_WRITING,
        arguments="PATH",
        help="send a text file along with the next question",
        example="/attach ~/notes.txt",
        run=_attach,
    ),
    Command(
        names=("detach",),
        group=_WRITING,
        help="take away what is attached, and a saved prompt that waits",
        example="/detach",
        run=_detach,
    ),
    Command(
        names=("again", "regenerate"),
        group=_WRITING,
        arguments="[MESSAGE]",
        help="ask for the last answer again, or for another one; both are kept",
        example="/again",
        run=_again,
    ),
    Command(
        names=("edit",),
        group=_WRITING,
        arguments="[MESSAGE]",
        help="change the last question, or another one, and send it; both are kept",
        example="/edit 3",
        run=_edit,
    ),
    Command(names=("new", "n"), group=_WRITING, help="begin another conversation", example="/new", run=_new),
    Command(
        names=("messages", "history"),
        group=_READING,
        help="list the messages of this conversation with their numbers",
        example="/messages",
        run=_messages,
    ),
    Command(
        names=("read", "r"),
        group=_READING,
        arguments="[MESSAGE]",
        help="read a message, or the last answer",
        example="/read 2",
        run=_read,
    ),
    Command(
        names=("thoughts",),
        group=_READING,
        arguments="[MESSAGE]",
        help="read what the model thought aloud before an answer",
        example="/thoughts",
        run=_thoughts,
    ),
    Command(
        names=("find", "f"),
        group=_READING,
        arguments="WORDS",
        help="find words in this conversation",
        example="/find capital of France",
        run=_find,
    ),
    Command(
        names=("code",),
        group=_READING,
        arguments="[NUMBER]",
        help="list the code in the last answer, or read one piece of it",
        example="/code 1",
        run=_code,
    ),
    Command(
        names=("save",),
        group=_READING,
        arguments="PATH, or MESSAGE PATH, or code NUMBER PATH",
        help="write the last answer, another message or a piece of code to a new file",
        example="/save code 1 hello.py",
        run=_save,
    ),
    Command(
        names=("branches",),
        group=_READING,
        help="where this conversation has branches, and how each begins",
        example="/branches",
        run=_branches,
    ),
    Command(
        names=("branch",),
        group=_READING,
        arguments="BRANCH [MESSAGE]",
        help="go to another branch, at the last message that has several or at the one named",
        example="/branch 1",
        run=_branch,
    ),
    Command(
        names=("numbers",),
        group=_MEASURING,
        arguments="[MESSAGE]",
        help="the numbers of the last answer, or of another one",
        example="/numbers",
        run=_numbers,
    ),
    Command(
        names=("timings", "gaps"),
        group=_MEASURING,
        arguments="[MESSAGE]",
        help="the times between the chunks of an answer, and where it stalled",
        example="/timings",
        run=_timings,
    ),
    Command(
        names=("context",),
        group=_MEASURING,
        help="how much of the model's context the next question takes before anything is written",
        example="/context",
        run=_context,
    ),
)
