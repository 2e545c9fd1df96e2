"""Production effects on the bus: tape, wow, vinyl, lo-fi, distortion, bit crushing, telephone."""

from tunesmith.composer.mix.production.chain import PREROLL as PREROLL
from tunesmith.composer.mix.production.chain import ProductionChain as ProductionChain
