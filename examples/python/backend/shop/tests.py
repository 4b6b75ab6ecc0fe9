import os
import unittest

from shop import total


class Total(unittest.TestCase):
    def test_the_currency_is_that_of_the_space(self):
        self.assertEqual(total(["1.50", "2"]), f"3.50 {os.environ['SHOP_CURRENCY']}")
