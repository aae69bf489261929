"""Hearing: what of a sound, or of a change to it, nobody hears (docs/hearing.md)."""

from aesdream.hearing.bank import LOWEST_HEARD, bank
from aesdream.hearing.noise import quiet_noise
from aesdream.hearing.thresholds import audibility, threshold

__all__ = ["LOWEST_HEARD", "audibility", "bank", "quiet_noise", "threshold"]
