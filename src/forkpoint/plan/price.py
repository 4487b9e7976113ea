"""What an hour of the machine costs, in the user's own currency, and what a race costs by it."""

import re

from forkpoint.errors import BadInput
from forkpoint.record import Record

HOUR_SECONDS = 3600
_NUMBER = r"(\d+(?:[.,]\d+)?)"
_PRICE = re.compile(rf"([^\d/+-]*?)\s*{_NUMBER}\s*([^\d/+-]*?)\s*(?:/\s*(?:h|hour|小时|时))")
SMALL_MONEY = 0.1  # of any currency; smaller amounts are shown to a thousandth
MOST_CURRENCY = 12  # characters of a currency's sign or name


class Price(Record):
    """A price of an hour, with the currency as it was given before or after the figure."""

    amount: float
    before: str
    after: str

    def of(self, seconds: float) -> str:
        """The price of so many seconds, written as the price of the hour was.

        >>> read_price("$2.5/h").of(1800), read_price("2.5 EUR/h").of(90), read_price("3/h").of(60)
        ('$1.25', '0.062 EUR', '0.050')
        """
        money = self.amount * seconds / HOUR_SECONDS
        figure = f"{money:.3f}" if 0 < money < SMALL_MONEY else f"{money:,.2f}"
        return f"{self.before}{figure}{' ' if self.after else ''}{self.after}"


def read_price(text: str) -> Price:
    """Read `2.5/h`, `$2.5/h`, `18 元/小时` or `2.5 EUR/h`; raises BadInput.

    >>> read_price("18 元/小时").after
    '元'
    """
    found = _PRICE.fullmatch(text.strip())
    if found is None or max(len(found[1]), len(found[3])) > MOST_CURRENCY:
        raise BadInput("estimate.bad-price", found=text[:40])
    return Price(
        amount=float(found[2].replace(",", ".")), before=found[1].strip(), after=found[3].strip()
    )
