import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import shop.cart

# qik: import units.length
length = importlib.import_module("units.length")
