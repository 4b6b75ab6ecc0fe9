import unittest

from shop.cart import label


class CartTest(unittest.TestCase):
    def test_label(self):
        self.assertEqual(label(99), "only 0.99 EUR")
