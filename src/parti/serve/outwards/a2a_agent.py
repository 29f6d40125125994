"""One agent of the Agent2Agent protocol: messages to it are runs, and its tasks are looked up where runs are stored."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NoReturn

from a2a.helpers import new_text_part
from a2a.server.context import ServerCallContext
from a2a.server.request_handlers import RequestHandler
from a2a.types import (
    Artifact,
    InternalError,
    InvalidParamsError,
    ListTasksResponse,
    PushNotificationNotSupportedError,
    Task,
    TaskArtifactUpdateEvent,
    TaskNotCancelableError,
    TaskNotFoundError,
    TaskState,
    TaskStatusUpdateEvent,
    UnsupportedOperationError,
)
from pydantic_core import from_json

from parti.errors import PartiError
from parti.ports.operations import Outcome
from parti.serve.events import Pieces, next_piece
from parti.serve.outwards.a2a_tasks import OUTPUT, STATES, parts_of, task_at_work, task_of, text_in
from parti.serve.outwards.calls import Exposed, Work, left_of, worded
from parti.serve.refusals import problem_of
from parti.serve.requests import is_key
from parti.units import Seconds

TENANT: Final = "parti-tenant"
KEY: Final = "parti-idempotency-key"
"""What the state of a call's context holds of its request."""

BEGUN: Final[Seconds] = 1.0
"""How long a caller who does not wait for the end waits for the beginning."""

PAGE: Final = 50
PAGE_MAX: Final = 100


@dataclass(slots=True)
class Call:
    """One call under way. `text` and `context` are the arguments of the run, which `run` names."""

    text: str
    context: str
    key: str
    tenant: str
    run: str
    begun: asyncio.Event = field(default_factory=asyncio.Event)


class A2aAgent(RequestHandler):
    """Answers what the SDK has read. The id of a task is that of its run, and of a message its idempotency key.

    A task takes one message: a further one, with the same context, is another task.
    """

    def __init__(self, agent: Exposed) -> None:
        self._agent = agent
        self._operations = agent.operations
        self._open: dict[str, Call] = {}
        """Calls by their runs, which may not be on record yet."""
        self._background: set[asyncio.Task[Any]] = set()

    # Messages

    async def on_message_send(self, params: Any, context: ServerCallContext) -> Task:
        """Begin a task, and wait for its end unless the caller asks not to."""
        call = await self._asked(params, context)
        task = asyncio.ensure_future(self._work(call, lambda _: None))
        if params.configuration.return_immediately:
            self._keep(task)
            await self._beginning(call, task)
            return await self._now(call)
        try:
            await task
        except PartiError as wrong:
            if not wrong.run:
                _refuse(wrong)
        return await self._now(call)

    async def on_message_send_stream(self, params: Any, context: ServerCallContext) -> AsyncGenerator[Any, None]:
        """Begin a task, and tell of it until its end."""
        async for event in self._events(await self._asked(params, context)):
            yield event

    async def on_subscribe_to_task(self, params: Any, context: ServerCallContext) -> AsyncGenerator[Any, None]:
        """Tell of a task that is under way until its end. What was told before is not told again."""
        tenant = context.state[TENANT]
        key = self._agent.key_of(params.id, tenant)
        task = await self._found(params.id, tenant)
        if key is None or task is None:
            raise TaskNotFoundError
        if task.status.state in STATES.values():
            raise UnsupportedOperationError(message="the task has ended: get it")
        call = self._open.get(params.id)
        if call is None:
            record = await self._operations.store.run(params.id)
            assert record is not None, "it was found, and is not under way here"
            text, said = from_json(record.arguments)
            call = Call(text, said, key, tenant, params.id)
        async for event in self._events(call):
            yield event

    async def _asked(self, params: Any, context: ServerCallContext) -> Call:
        message, tenant = params.message, context.state[TENANT]
        if message.task_id:
            if await self._found(message.task_id, tenant) is None:
                raise TaskNotFoundError
            raise UnsupportedOperationError(message="a task takes one message: send another without a task id")
        if params.configuration.HasField("task_push_notification_config"):
            raise PushNotificationNotSupportedError
        key = context.state[KEY] or message.message_id
        if not is_key(key):
            raise InvalidParamsError(message="the message's id is no short printable ASCII text")
        return Call(text_in(message), message.context_id, key, tenant, self._agent.run(tenant, key))

    async def _work(self, call: Call, tell: Any) -> Outcome:
        self._agent.enter()
        first = call.run not in self._open
        self._open.setdefault(call.run, call)
        try:
            return await self._agent.call(
                [call.text, call.context], key=call.key, tenant=call.tenant, tell=tell, begun=call.begun.set
            )
        finally:
            self._agent.leave()
            if first:
                del self._open[call.run]

    def _keep(self, task: asyncio.Future[Outcome]) -> None:
        async def see_through() -> None:
            with contextlib.suppress(PartiError):  # the task says how it ended
                await task

        kept = asyncio.create_task(see_through())
        self._background.add(kept)
        kept.add_done_callback(self._background.discard)

    async def _beginning(self, call: Call, task: asyncio.Future[Outcome]) -> None:
        """Return once the run is at work. Raises A2AError when it was not begun."""
        begun = asyncio.ensure_future(call.begun.wait())
        try:
            ways: list[asyncio.Future[Any]] = [task, begun]
            await asyncio.wait(ways, timeout=BEGUN, return_when=asyncio.FIRST_COMPLETED)
        finally:
            begun.cancel()
        failure = task.exception() if task.done() and not task.cancelled() else None
        if isinstance(failure, PartiError) and not failure.run:
            _refuse(failure)

    async def _events(self, call: Call) -> AsyncGenerator[Any, None]:
        pieces = Pieces()
        plain = self._agent.output.schema.get("type") == "string"
        task = asyncio.ensure_future(self._work(call, pieces.tell if plain else lambda _: None))
        chunk = partial(_chunk, call)
        try:
            await self._beginning(call, task)
            yield task_at_work(call.run, call.context)
            sent = ""
            while (piece := await next_piece(task, pieces)) is not None:
                if pieces.slow:
                    raise InternalError(message="you read too slowly: get the task")
                if piece:
                    yield chunk([new_text_part(piece)], append=bool(sent))
                    sent += piece
            with contextlib.suppress(PartiError):  # the task says how it ended
                output = Work.of(await task).output
                rest = left_of(output, sent) if isinstance(output, str) else output
                if rest != "":
                    yield chunk(parts_of(rest), append=bool(sent), last=True)
            ended = await self._now(call)
            yield TaskStatusUpdateEvent(task_id=ended.id, context_id=ended.context_id, status=ended.status)
        finally:
            task.cancel()  # nobody listens any more; the run goes on

    async def _now(self, call: Call) -> Task:
        return await self._found(call.run, call.tenant) or task_at_work(call.run, call.context)

    # Tasks

    async def _found(self, run: str, tenant: str) -> Task | None:
        key = self._agent.key_of(run, tenant)
        if key is None:
            return None
        record = await self._operations.store.run(run)
        if record is not None:
            return task_of(record, key)
        call = self._open.get(run)
        return task_at_work(run, call.context) if call else None

    async def on_get_task(self, params: Any, context: ServerCallContext) -> Task | None:
        """A task as it is now."""
        return await self._found(params.id, context.state[TENANT])

    async def on_list_tasks(self, params: Any, context: ServerCallContext) -> ListTasksResponse:
        """The latest tasks, at most PAGE_MAX: there is no further page."""
        tenant, size = context.state[TENANT], min(params.page_size or PAGE, PAGE_MAX)
        records = await self._operations.store.runs(part=self._agent.endpoint.name, tenant=tenant, limit=PAGE_MAX)
        keyed = ((record, self._agent.key_of(record.id, tenant)) for record in records)
        tasks = [task_of(record, key) for record, key in keyed if key is not None]
        found = [task for task in tasks if params.context_id in ("", task.context_id)]
        if params.status != TaskState.TASK_STATE_UNSPECIFIED:
            found = [task for task in found if task.status.state == params.status]
        return ListTasksResponse(tasks=found[:size], page_size=size, total_size=len(found))

    async def on_cancel_task(self, params: Any, context: ServerCallContext) -> Task | None:
        """End a task."""
        tenant = context.state[TENANT]
        if await self._found(params.id, tenant) is None:
            return None
        try:
            await self._operations.cancel(params.id)
        except PartiError as wrong:
            if wrong.code == "P309":
                raise TaskNotCancelableError(message=wrong.what) from None
            _refuse(wrong)
        return await self._found(params.id, tenant)

    # What there is not

    async def on_create_task_push_notification_config(self, params: Any, context: Any) -> Any:
        """Raises PushNotificationNotSupportedError."""
        raise PushNotificationNotSupportedError

    on_get_task_push_notification_config = on_create_task_push_notification_config
    on_list_task_push_notification_configs = on_create_task_push_notification_config
    on_delete_task_push_notification_config = on_create_task_push_notification_config

    async def on_get_extended_agent_card(self, params: Any, context: Any) -> Any:
        """Raises UnsupportedOperationError: there is one card, for all."""
        raise UnsupportedOperationError


def _chunk(call: Call, parts: list[Any], *, append: bool, last: bool = False) -> TaskArtifactUpdateEvent:
    artifact = Artifact(artifact_id=OUTPUT, name=OUTPUT, parts=parts)
    return TaskArtifactUpdateEvent(
        task_id=call.run, context_id=call.context or call.run, artifact=artifact, append=append, last_chunk=last
    )


def _refuse(wrong: PartiError) -> NoReturn:
    """Raise the protocol's error for a call that was not begun."""
    answer = problem_of(wrong, operator=False)
    said = from_json(bytes(answer.body))
    kind = InvalidParamsError if answer.status_code < 500 else InternalError
    raise kind(message=worded(said), data={"code": said["code"]}) from wrong
