"""The networks of a study, by the name under which a study's ``network`` section configures them."""

from __future__ import annotations

from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from aesdream.config import Section
from aesdream.models.han import Han
from aesdream.models.jenkins import Jenkins
from aesdream.models.layers import NetworkSettings


class Network(Section):
    """Exactly one network. A new one is a file beside ``jenkins.py`` and a line here."""

    jenkins: Jenkins | None = None
    han: Han | None = None

    @model_serializer(mode="wrap")
    def _the_one(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without the networks that it is not: a further kind changes no digest."""
        return {name: value for name, value in handler(self).items() if value is not None}

    @model_validator(mode="after")
    def _one(self) -> Network:
        if len(self._given()) != 1:
            raise ValueError(f"must hold exactly one of {', '.join(type(self).model_fields)}")
        return self

    def _given(self) -> list[NetworkSettings]:
        return [settings for name in type(self).model_fields if (settings := getattr(self, name)) is not None]

    @property
    def settings(self) -> NetworkSettings:
        """The configuration of the one network."""
        return self._given()[0]
