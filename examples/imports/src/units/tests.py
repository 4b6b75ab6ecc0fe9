import unittest

from units import length, money


class UnitsTest(unittest.TestCase):
    def test_units(self):
        self.assertEqual(money.euros(150), "1.50 EUR")
        self.assertAlmostEqual(length.meters(1), 0.0254)
