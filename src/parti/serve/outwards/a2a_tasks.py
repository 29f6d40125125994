"""Runs of an agent as tasks of the Agent2Agent protocol: what came in a message, and what a task, its status and artifact are."""

from __future__ import annotations

from typing import Any, Final

from a2a.helpers import new_data_part, new_task, new_text_message, new_text_part
from a2a.types import (
    Artifact,
    ContentTypeNotSupportedError,
    InvalidParamsError,
    Message,
    Part,
    Role,
    Task,
    TaskState,
    TaskStatus,
)
from google.protobuf.json_format import MessageToJson
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic_core import from_json

from parti.errors import CODES
from parti.ports.operations import Outcome
from parti.ports.store import RunRecord, State
from parti.serve.outwards.calls import Work
from parti.units import Seconds

OUTPUT: Final = "output"
"""The id and name of a task's one artifact."""

STATES: Final = {
    State.DONE: TaskState.TASK_STATE_COMPLETED,
    State.DEAD: TaskState.TASK_STATE_FAILED,
    State.CANCELLED: TaskState.TASK_STATE_CANCELED,
}
"""Of runs that have ended; every other is at work."""


def text_in(message: Message) -> str:
    """What is to be done: all texts, and data as JSON. Raises A2AError for anything else, and for nothing."""
    found = [_text(part) for part in message.parts]
    if not any(found):
        raise InvalidParamsError(message="the message holds no text")
    return "\n".join(found)


def _text(part: Part) -> str:
    match part.WhichOneof("content"):
        case "text":
            return str(part.text)
        case "data":
            return str(MessageToJson(part.data, indent=None))
        case other:
            raise ContentTypeNotSupportedError(message=f"only texts and data are read, not {other or 'nothing'}")


def parts_of(output: Any) -> list[Part]:
    """An output: a text, or data."""
    return [new_text_part(output) if isinstance(output, str) else new_data_part(output, "application/json")]


def task_at_work(run: str, context: str) -> Task:
    """The task of a run that is not on record yet."""
    return new_task(run, context or run, TaskState.TASK_STATE_WORKING)


def task_of(record: RunRecord, key: str) -> Task:
    """The task of a run, as it is on record. Of a failure only its code is told: the journal has the reason."""
    text, context = from_json(record.arguments)
    task = task_at_work(record.id, context)
    said = Message(message_id=key, role=Role.ROLE_USER, parts=[new_text_part(text)])
    said.task_id, said.context_id = task.id, task.context_id
    task.history.append(said)
    task.status.CopyFrom(_status(record, task))
    if record.state is State.DONE:
        output = Work.of(Outcome(record.id, record.result, False)).output
        task.artifacts.append(Artifact(artifact_id=OUTPUT, name=OUTPUT, parts=parts_of(output)))
    return task


def _status(record: RunRecord, task: Task) -> TaskStatus:
    status = TaskStatus(state=STATES.get(record.state, TaskState.TASK_STATE_WORKING))
    status.timestamp.CopyFrom(_stamp(record.ended or record.started or record.created))
    if record.state is State.DEAD:
        code = from_json(record.error)["code"]
        why = new_text_message(f"{CODES[code]} ({code})", context_id=task.context_id, task_id=task.id)
        status.message.CopyFrom(why)
    return status


def _stamp(at: Seconds) -> Timestamp:
    stamp = Timestamp()
    stamp.FromMilliseconds(int(at * 1000))
    return stamp
