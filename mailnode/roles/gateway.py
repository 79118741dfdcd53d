"""The courier around a gateway's ``deliver``: all that surrounds one try, so that the gateway itself can be small.

In this order: a loop or a machine's answer ends here; recipients get their addresses on the other side; an open circuit
breaker or an exhausted rate puts off; ``start`` has been done; ``deliver`` runs within its time limit. Then whatever it gave
or raised becomes an outcome for every recipient, receipts that are awaited are written down, and what is delayed gets its
next time by the gateway's own timetable.

Whatever a gateway does, the message is safe: nonsense and bugs read as Delayed, with the reason in ``queue show``.
"""

import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import Factory, define, evolve, field
from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore, TimeoutError  # noqa: A004 - addTimeout's
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailnode.gateways import outcomes as said
from mailnode.gateways.breaker import Breaker, Rate
from mailnode.gateways.gateway import Answer, Gateway
from mailnode.gateways.loops import TRACE_FIELD, hops_of, is_automatic, mark, marks_in, read_header
from mailnode.gateways.message import OutgoingMessage, OutgoingRecipient
from mailnode.gateways.settings import GatewayQueueSettings, parse_rate
from mailnode.gateways.slices import Slices, timed
from mailnode.gateways.tokens import Signer, key_of
from mailnode.gateways.tracing import traceparent_of
from mailnode.gateways.trouble import classify
from mailnode.mail.content import MEMORY_LIMIT
from mailnode.mail.envelope import Recipient
from mailnode.mail.message import DeliveryRequest
from mailnode.mail.outcome import Delayed, Outcome, Relayed
from mailnode.mail.quantity import render_seconds
from mailnode.mail.reply import Reply
from mailnode.queue.settings import QueueSettings
from mailnode.roles.gateway_node import NodeOfGateway
from mailnode.roles.gateway_receipts import Receipts

log = Logger()

SHORT_WAIT = 5.0
"""Seconds that a message waits for its turn in memory; for longer it goes back into the queue."""
_AUTOMATIC = said.Failed("bounces and automatic replies are not sent there", "5.7.1")
_CIRCLE = said.Failed("it has been through too many gateways: it goes in a circle", "5.4.6")
_NOBODY = said.Failed("there is nobody of that address", "5.1.1")


@define
class GatewayCourier:
    """Implements interfaces.Courier for one gateway."""

    gateway: Gateway
    node: NodeOfGateway
    settings: GatewayQueueSettings
    queue: QueueSettings
    """The node's timetable, for what the gateway's own leaves open."""
    signer: Signer
    receipts: Receipts
    slices: Slices
    _breaker: Breaker = field(init=False)
    _rate: Rate = field(init=False)
    _turns: DeferredSemaphore = field(init=False)
    _starting: DeferredSemaphore = Factory(lambda: DeferredSemaphore(1))
    _is_started: bool = False

    def __attrs_post_init__(self) -> None:
        """Make what bounds the attempts."""
        own = self.settings
        self._breaker = Breaker(own.breaker_after, own.breaker_pause, own.breaker_longest)
        self._rate = Rate(parse_rate(own.rate))
        self._turns = DeferredSemaphore(own.concurrency)

    @property
    def name(self) -> str:
        """Give the gateway's name in the configuration."""
        return self.node.name

    # --- one try

    async def carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        """Make one try."""
        recipients = request.message.envelope.recipients
        wait = self._wait()
        if wait is not None:
            return dict.fromkeys(recipients, wait)
        await self._turns.acquire()
        try:
            return await self._carry(request)
        except BaseException:
            self._breaker.forget()  # whatever it was, it told nothing of the other side
            raise
        finally:
            self._turns.release()

    def _wait(self) -> Outcome | None:
        """Say when the other side may be tried, if that is not now."""
        now = self.node.clock.seconds()
        pause = self._breaker.wait(now)
        if pause:
            return self._put_off(
                pause, f"not tried, the other side could not be reached before: {self._breaker.reason}"
            )
        return None

    def _put_off(self, seconds: float, why: str) -> Delayed:
        spread = seconds * (1 + 0.1 * self.node.random.random())
        reply = Reply.of(451, "4.4.5", f"{self.name}: {why}")
        return Delayed(reply, retry_after=spread, is_tried=False)

    async def _carry(self, request: DeliveryRequest) -> Mapping[Recipient, Outcome]:
        message = await self._message(request)
        verdict = self._verdict(message)
        if verdict is not None:
            self._breaker.forget()
            return dict.fromkeys(message.envelope.recipients, said.outcome_of(verdict, self.name))
        known = self._known(message)
        answers: dict[Recipient, said.Outcome] = dict.fromkeys(message.envelope.recipients, _NOBODY)
        given: Mapping[OutgoingRecipient, said.Outcome] = {}
        if known:
            put_off = await self._turn(len(known))
            if put_off is not None:
                return dict.fromkeys(message.envelope.recipients, put_off)
            given = await self._deliver(message, known)
            answers.update((one.recipient, outcome) for one, outcome in given.items())
        self._learn(given)
        return await self._outcomes(message, answers)

    async def _message(self, request: DeliveryRequest) -> OutgoingMessage:
        """Make what the gateway gets; of a large message all that is dear is done on a thread."""
        content = request.message.content
        is_large = content.path is not None or content.size > MEMORY_LIMIT
        octets = await self.node.disk.run(content.read) if is_large else content.read()
        header = read_header(octets)
        hops = hops_of(marks_in(header), self.signer)
        message = OutgoingMessage(
            queue_id=request.message.queue_id,
            envelope=request.message.envelope,
            header=header,
            arrived=request.message.arrived,
            attempt=request.attempt,
            traceparent=traceparent_of(
                request.message.queue_id, self.name, str(request.attempt), given=str(header.get(TRACE_FIELD, ""))
            ),
            mark=mark(hops + 1, self.signer),
            octets=octets,
        )
        if is_large and self.gateway.reads == "text":
            await self.node.disk.run(lambda: _made_ready(message))
        return message

    def _verdict(self, message: OutgoingMessage) -> said.Failed | None:
        """End loops and answers to machines here."""
        if not self.gateway.takes_automatic and is_automatic(message.header, message.sender):
            return _AUTOMATIC
        hops = hops_of(marks_in(message.header), self.signer)
        if hops >= self.settings.max_hops:
            log.warn(  # noqa: G010 - the method of twisted.logger
                "{queue_id}: gateway {gateway} ends a loop after {hops} hops", event="loop", queue_id=message.queue_id,
                gateway=self.name, hops=hops,
            )  # fmt: skip
            return _CIRCLE
        return None

    def _known(self, message: OutgoingMessage) -> list[OutgoingRecipient]:
        """Give the recipients that are somebody on the other side."""
        found = []
        for one in message.envelope.recipients:
            foreign = self.node.addresses.foreign(one.forward_path)
            if foreign is not None:
                found.append(OutgoingRecipient(foreign, one, key_of(message.queue_id, str(one.forward_path))))
        return found

    async def _turn(self, count: int) -> Delayed | None:
        """Wait for a place within the rate; too long a wait goes back into the queue."""
        wait = self._rate.wait(self.node.clock.seconds())
        if wait > SHORT_WAIT:
            self._breaker.forget()
            return self._put_off(wait, "not tried yet, as many as its rate allows are on their way")
        self._rate.take(self.node.clock.seconds(), count)
        if wait:
            await deferLater(self.node.clock, wait)
        return None

    # --- the gateway itself

    async def start(self) -> None:
        """Start the gateway, once; what it raises is the caller's."""
        await self._starting.acquire()
        try:
            if not self._is_started:
                await self.gateway.start()
                self._is_started = True
        finally:
            self._starting.release()

    async def _deliver(
        self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]
    ) -> Mapping[OutgoingRecipient, said.Outcome]:
        """Let it deliver; an outcome for each, whatever happens."""
        log.info(
            "{queue_id}: gateway {gateway} attempt={attempt} traceparent={traceparent}", event="gateway",
            queue_id=message.queue_id, gateway=self.name, attempt=message.attempt, traceparent=message.traceparent,
            keys=[one.key for one in recipients],
        )  # fmt: skip
        running = Deferred.fromCoroutine(self._call(message, recipients))
        running.addTimeout(self.settings.timeout, self.node.clock)
        try:
            answer = await running
        except TimeoutError:
            limit = render_seconds(self.settings.timeout)
            answer = said.Delayed(f"no answer within {limit}", "4.4.2", is_unreachable=True)
        except CancelledError:
            running.cancel()
            raise
        except Exception as problem:  # noqa: BLE001 - whatever it raises must not cost the message
            answer = self._understood(problem, message)
        return _complete(answer, recipients)

    async def _call(self, message: OutgoingMessage, recipients: Sequence[OutgoingRecipient]) -> Answer:
        await self.start()
        answer: Answer = await timed(self.gateway.deliver(message, recipients), self.slices, self.name)
        return answer

    def _understood(self, problem: Exception, message: OutgoingMessage) -> said.Outcome:
        known = classify(problem, self.gateway.troubles)
        if known is not None:
            return known
        log.failure("{queue_id}: gateway {gateway} failed", queue_id=message.queue_id, gateway=self.name)
        # The place and not the words: these may hold what the sender, who reads it in a report, must not know.
        return said.Delayed(f"the gateway failed: {_place_of(problem)}", "4.3.0", is_unreachable=True)

    # --- what came of it

    def _learn(self, answers: Mapping[OutgoingRecipient, said.Outcome]) -> None:
        """Tell the circuit breaker how the other side is."""
        delays = [one for one in answers.values() if isinstance(one, said.Delayed)]
        if len(delays) < len(answers):
            self._breaker.succeed()
        elif delays and all(one.is_unreachable for one in delays):
            if self._breaker.miss(self.node.clock.seconds(), said.one_line(delays[0].text)):
                log.warn(  # noqa: G010
                    "gateway {gateway} rests: {reason}", event="rest", gateway=self.name, reason=self._breaker.reason
                )
        else:
            self._breaker.forget()

    async def _outcomes(
        self, message: OutgoingMessage, answers: Mapping[Recipient, said.Outcome]
    ) -> Mapping[Recipient, Outcome]:
        awaited = {
            one: answer for one, answer in answers.items() if isinstance(answer, said.Relayed) and answer.receipt_id
        }
        kept = await self.receipts.expect(self.name, message, awaited, self.settings.receipt_silence)
        return {
            one: self._timed(said.outcome_of(answer, self.name), message, is_kept=kept)
            for one, answer in answers.items()
        }

    def _timed(self, outcome: Outcome, message: OutgoingMessage, *, is_kept: bool) -> Outcome:
        """Give what is delayed its next time, or its end, by the gateway's own timetable."""
        if isinstance(outcome, Relayed) and not is_kept:
            return evolve(outcome, passes_dsn=False)  # nobody waits for its receipt: the sender is told what is known
        if not isinstance(outcome, Delayed):
            return outcome
        age = self.node.clock.seconds() - message.arrived
        if self.settings.give_up and age >= self.settings.give_up:
            text = f"{outcome.reply.lines[0]} (given up after {render_seconds(age)})"
            return said.outcome_of(said.Failed(text.removeprefix(f"{self.name}: "), "5.4.7"), self.name)
        if outcome.retry_after is not None or not self.settings.retry:
            return self._before_end(outcome, age)
        step = self.settings.retry[min(message.attempt, len(self.settings.retry)) - 1]
        spread = step * (1 + self.queue.jitter * (2 * self.node.random.random() - 1))
        return self._before_end(evolve(outcome, retry_after=spread), age)

    def _before_end(self, outcome: Delayed, age: float) -> Delayed:
        """Let the last attempt be made when the time is over, and not later."""
        if not self.settings.give_up or outcome.retry_after is None:
            return outcome
        return evolve(outcome, retry_after=max(1.0, min(outcome.retry_after, self.settings.give_up - age)))

    async def close(self) -> None:
        """Stop the gateway, if it was started."""
        if self._is_started:
            self._is_started = False
            try:
                await self.gateway.stop()
            except CancelledError:
                raise
            except Exception:  # noqa: BLE001 - others want to be stopped too
                log.failure("gateway {gateway} failed to stop", gateway=self.name)
        await self.node.close()


def _made_ready(message: OutgoingMessage) -> None:
    """Read and turn into text on a thread; what is wrong with it is told when the gateway asks."""
    with suppress(said.Trouble):
        message.text()


def _complete(answer: object, recipients: Sequence[OutgoingRecipient]) -> Mapping[OutgoingRecipient, said.Outcome]:
    """Give an outcome for each recipient, whatever the gateway has said."""
    if answer is None:
        return dict.fromkeys(recipients, said.Delivered())
    if isinstance(answer, said.Outcome):
        return dict.fromkeys(recipients, answer)
    if not isinstance(answer, Mapping):
        nonsense = said.Delayed(f"the gateway gave no outcome but {type(answer).__name__}", "4.3.0")
        return dict.fromkeys(recipients, nonsense)
    found = {one: answer.get(one) for one in recipients}
    missing = said.Delayed("the gateway gave no outcome for this recipient", "4.3.0")
    return {one: outcome if isinstance(outcome, said.Outcome) else missing for one, outcome in found.items()}


def _place_of(problem: Exception) -> str:
    """Tell which kind of exception it is, and the line of code that raised it: enough to find it in the log."""
    steps = traceback.extract_tb(problem.__traceback__)
    where = f" in {Path(steps[-1].filename).name}, line {steps[-1].lineno}" if steps else ""
    return f"{type(problem).__name__}{where}"
