"""The models behind URLs of one command, opened: asked over one transport, or by batch files."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random
from typing import TYPE_CHECKING

from vsgen.backends.endpoint.service import Service
from vsgen.errors import OptionError
from vsgen.jobs.activity import Activity
from vsgen.jobs.wanted import Wanted
from vsgen.ports import Journal, Letterbox

if TYPE_CHECKING:
    from vsgen.backends.endpoint.transport import Transport
    from vsgen.backends.served import ServedModel
    from vsgen.jobs.batches import Batches


class Services:
    """Opens them, each once."""

    def __init__(
        self, wanted: Wanted, journal: Journal, letters: Letterbox, activity: Activity, stack: ExitStack
    ) -> None:
        """Set up; nothing is sent yet.

        Args:
            wanted: The models of the command.
            journal: Where it is noted what servers can do.
            letters: Where answers go.
            activity: Where it is written down what requests wait for.
            stack: Closes all files.

        Raises:
            OptionError: Batch files are wanted, and no model is behind a URL.
            InputError: The results cannot be read.
            EndpointError: The provider has refused all requests.
        """
        self._settings = wanted.choice.http
        self._journal = journal
        self._letters = letters
        self._activity = activity
        self._transport: Transport | None = None
        self.batches = _batches(wanted, journal, letters, stack)
        """The batch files; None where servers answer every call at once."""

    def open(self, service: Service) -> ServedModel:
        """A model whose executor answers its calls.

        Raises:
            EndpointError: The server cannot be asked.
            OptionError: It lacks what the calls need.
        """
        if self.batches is None:
            return self._over_http(service)
        if self.batches.emits:
            return self.batches.assume(service)
        model = self._over_http(service)
        model.executor = self.batches.before(service, model.executor)
        return model

    def _over_http(self, service: Service) -> ServedModel:
        from vsgen.backends.endpoint.transport import Transport  # slow to import, and most commands have no endpoint
        from vsgen.backends.served import open_served

        if self._transport is None:
            self._transport = Transport(self._settings, Random())
            self._activity.sends(self._transport)
        return open_served(service, self._transport, self._letters, self._journal)


def _batches(wanted: Wanted, journal: Journal, letters: Letterbox, stack: ExitStack) -> Batches | None:
    by_file = wanted.choice.by_file
    if by_file is None:
        return None
    if not wanted.services:
        option = "--ingest-batch" if by_file.emit is None else "--emit-batch"
        raise OptionError(f"{option}: none of the models is behind a URL; give --endpoint URL -m NAME")
    from vsgen.jobs.batches import Batches  # few commands have any

    return Batches(by_file, journal, letters, stack)
