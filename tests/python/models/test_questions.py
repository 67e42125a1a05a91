"""The queries of docs/questions.md answer what plain Python computes from the landed files, on every engine.

`TRADEWINDS_TEST_QUESTIONS` names a home with one published day to ask instead of the built one, on DuckDB only.
"""

import os
import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace as Row
from typing import Any

import duckdb
import pytest

from ingestion.settings import PROJECT
from tests.python.built import BuiltHomes
from tests.python.sandbox import Sandbox

_QUESTION = re.compile(r"^### (\d+)\. .+?```sql\n(.+?)```", re.MULTILINE | re.DOTALL)
HOME = os.environ.get("TRADEWINDS_TEST_QUESTIONS")
Rows = list[tuple]


@dataclass(frozen=True, eq=False)
class Near:
    """A number that a query rounds to this many digits; at a half, either way."""

    value: Fraction
    digits: int = 2

    def __eq__(self, other: object) -> bool:
        return abs(Fraction(other) - self.value) <= Fraction(1, 2 * 10**self.digits) + Fraction(1, 10**9)

    __hash__ = None


def _mean(values: Iterable[Any]) -> Near | None:
    found = [Fraction(value) for value in values if value is not None]
    return Near(sum(found) / len(found)) if found else None


def _groups(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(sorted(found.items()))


def _net(rows: Iterable[Row]) -> Decimal:
    return sum((row.net for row in rows), Decimal(0))


def _count(rows: Iterable[Row], condition: Callable[[Row], Any]) -> int:
    return sum(bool(condition(row)) for row in rows)


def _month(day: date) -> str:
    return day.isoformat()[:7]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


class Landed:
    """The landed rows of the last day, every value as text, and what several questions need of them."""

    def __init__(self, home: Path):
        self._landing = home / "landing"
        days = [path.name.removeprefix("run_date=") for path in (self._landing / "postgres/products").iterdir()]
        self.day = max(days)
        self.customers = {row.customer_id.rstrip(): row for row in self.rows("postgres/customers")}
        self.products = {row.product_id: row for row in self.rows("postgres/products")}
        self.suppliers = {row.supplier_id: row for row in self.rows("postgres/suppliers")}
        self.prices = {
            _day(day): {row.product_id: Decimal(row.unit_price) for row in self.rows("postgres/products", day)}
            for day in days
        }
        self.orders = {row.order_id: self._order(row) for row in self.rows("postgres/orders")}
        self.lines = [self._line(row) for row in self.rows("csv/order_details")]
        self.events = sorted(self.rows("csv/event_log"), key=lambda row: (row.created_at, int(row.event_id)))

    def rows(self, table: str, day: str | None = None) -> list[Row]:
        files = self._landing / table / f"run_date={day or self.day}" / "*.parquet"
        with duckdb.connect() as connection:
            found = connection.execute(f"select columns(*)::varchar from '{files}'")
            names = [column[0] for column in found.description]
            return [Row(**dict(zip(names, row, strict=True))) for row in found.fetchall()]

    def _order(self, row: Row) -> Row:
        dates = {name: _day(getattr(row, f"{name}_date")) for name in ("order", "required", "shipped")}
        customer = row.customer_id.rstrip() if row.customer_id else None
        return Row(**(vars(row) | dates | {"id": int(row.order_id), "customer": customer, "lines": [], "net": 0}))

    def _line(self, row: Row) -> Row:
        quantity, cents = int(row.quantity), Decimal("0.0001")
        gross = Decimal(row.unit_price) * quantity
        discount = (gross * Decimal(row.discount)).quantize(cents, ROUND_HALF_UP)
        line = Row(product=row.product_id, rate=Decimal(row.discount), quantity=quantity, discount=discount)
        line.net, line.order = gross - discount, self.orders.get(row.order_id)
        if line.order:
            line.order.lines.append(line)
            line.order.net += line.net
        return line

    def orders_by_customer(self) -> dict[str, list[Row]]:
        dated = sorted(self.orders.values(), key=lambda order: (order.order, order.id))
        return _groups((order for order in dated if order.customer), lambda order: order.customer)

    def list_price(self, product: str, day: date) -> Decimal | None:
        """Return a product's price in the last partition up to a day, or its first one if that is later."""
        first = min(landed for landed, prices in self.prices.items() if product in prices)
        return self.prices[max(landed for landed in self.prices if landed <= max(day, first))].get(product)


def sales_by_month_and_country(landed: Landed) -> Rows:
    groups = _groups(landed.orders.values(), lambda order: (_month(order.order), order.ship_country))
    return [(*key, _net(orders)) for key, orders in groups.items()]


def best_customers(landed: Landed) -> Rows:
    found = [(-_net(orders), name, len(orders)) for name, orders in landed.orders_by_customer().items()]
    customers = landed.customers
    return [(customers[key].company_name, customers[key].country, n, -net) for net, key, n in sorted(found)[:10]]


def late_shipments(landed: Landed) -> Rows:
    names = {row.shipper_id: row.company_name for row in landed.rows("postgres/shippers")}
    found = []
    for shipper, orders in _groups(landed.orders.values(), lambda order: order.ship_via).items():
        shipped = [order for order in orders if order.shipped]
        late = _count(shipped, lambda order: order.shipped > order.required)
        days = _mean((order.shipped - order.order).days for order in shipped)
        rate = Fraction(late, len(shipped))
        found.append((-rate, shipper, (names[shipper], len(shipped), late, Near(rate, 4), days)))
    return [row for *_, row in sorted(found, key=lambda one: one[:2])]


def size_of_an_order(landed: Landed) -> Rows:
    return [
        (
            year,
            len(orders),
            _mean(len(order.lines) for order in orders),
            _mean(sum(line.quantity for line in order.lines) for order in orders),
            _mean(order.net for order in orders),
        )
        for year, orders in _groups(landed.orders.values(), lambda order: order.order.year).items()
    ]


def effect_of_discounts(landed: Landed) -> Rows:
    groups = _groups(landed.lines, lambda line: line.rate).items()
    return [
        (rate, len(lines), _mean(line.quantity for line in lines), sum(line.discount for line in lines), _net(lines))
        for rate, lines in groups
    ]


def sales_by_employee(landed: Landed) -> Rows:
    names = {row.employee_id: f"{row.first_name} {row.last_name}" for row in landed.rows("postgres/employees")}
    groups = _groups(landed.orders.values(), lambda order: (order.order.year, int(order.employee_id))).items()
    found = sorted((year, -_net(orders), employee, len(orders)) for (year, employee), orders in groups)
    return [(year, names[str(employee)], count, -net) for year, net, employee, count in found]


def product_mix(landed: Landed) -> Rows:
    names = {row.category_id: row.category_name for row in landed.rows("postgres/categories")}
    groups = _groups(landed.lines, lambda line: landed.products[line.product].category_id)
    found = sorted((-_net(lines), category) for category, lines in groups.items())
    total = Fraction(_net(landed.lines))
    return [(names[category], -net, Near(-Fraction(net) / total, 4)) for net, category in found]


def products_to_reorder(landed: Landed) -> Rows:
    found = []
    for product in sorted(landed.products.values(), key=lambda product: int(product.product_id)):
        stock, ordered, level = int(product.units_in_stock), int(product.units_on_order), int(product.reorder_level)
        if product.discontinued == "0" and stock + ordered <= level:
            supplier = landed.suppliers[product.supplier_id]
            found.append((product.product_name, stock, ordered, level, supplier.company_name, supplier.phone))
    return found


def returning_customers(landed: Landed) -> Rows:
    found = defaultdict(list)
    for first, *later in landed.orders_by_customer().values():
        found[_month(first.order)].append(any(order.order <= first.order + timedelta(90) for order in later))
    return [(month, len(returned), sum(returned)) for month, returned in sorted(found.items())]


def time_to_the_second_order(landed: Landed) -> Rows:
    customers = landed.orders_by_customer().values()
    days = [(orders[1].order - orders[0].order).days for orders in customers if len(orders) > 1]
    return [(len(customers), len(days), _mean(days), statistics.median(days), max(days))]


def customers_who_stopped(landed: Landed) -> Rows:
    orders = landed.orders_by_customer()
    newest = max(order.order for order in landed.orders.values())
    last = {key: orders[key][-1].order if key in orders else None for key in landed.customers}
    found = sorted((day or date.min, key) for key, day in last.items() if not day or (newest - day).days > 180)
    return [(landed.customers[key].company_name, len(orders.get(key, [])), last[key]) for _, key in found]


def open_orders(landed: Landed) -> Rows:
    waiting = [order for order in landed.orders.values() if not order.shipped]
    today, groups = _day(landed.day), _groups(waiting, lambda order: order.ship_country)
    found = sorted((-_net(orders), country, orders) for country, orders in groups.items())
    return [(name, len(all_), _count(all_, lambda one: one.required < today), -net) for net, name, all_ in found]


def below_the_list_price(landed: Landed) -> Rows:
    found = []
    for product, lines in _groups((line for line in landed.lines if line.order), lambda line: line.product).items():
        prices = [(line, landed.list_price(product, line.order.order)) for line in lines]
        listed = sum(line.quantity * price for line, price in prices if price is not None)
        below = listed - _net(line for line, price in prices if price is not None)
        found.append((-below, int(product), listed))
    names = landed.products
    return [(names[str(product)].product_name, listed, -below) for below, product, listed in sorted(found)[:10]]


def origin_of_the_goods(landed: Landed) -> Rows:
    country = {key: landed.suppliers[product.supplier_id].country for key, product in landed.products.items()}
    found = [
        (-_net(lines), name, len({line.product for line in lines}), sum(line.quantity for line in lines))
        for name, lines in _groups(landed.lines, lambda line: country[line.product]).items()
    ]
    return [(name, products, quantity, -net) for net, name, products, quantity in sorted(found)]


def active_professionals(landed: Landed) -> Rows:
    able, last_of_month = {}, {}
    first, last = (_day(landed.events[place].created_at) for place in (0, -1))
    by_day = _groups(landed.events, lambda event: _day(event.created_at))
    for number in range((last - first).days):
        day = first + timedelta(number)
        for event in by_day.get(day, []):
            if event.event_type in ("became_able_to_propose", "became_unable_to_propose"):
                able[event.professional_id_anonymized] = event.event_type == "became_able_to_propose"
        last_of_month[_month(day)] = (day, sum(able.values()))
    return list(last_of_month.values())


def dearest_services(landed: Landed) -> Rows:
    fees, names = defaultdict(list), {}
    for event in landed.events:
        if event.event_type == "proposed":
            service, _, name, fee = event.meta_data.split("_")
            fees[int(service)].append(Decimal(fee))
            names[int(service)] = name
    found = sorted((-round(Fraction(sum(all_)) / len(all_), 2), service) for service, all_ in fees.items())[:10]
    return [(names[one], len(fees[one]), _mean(fees[one]), sum(fees[one])) for _, one in found]


def from_account_to_proposal(landed: Landed) -> Rows:
    firsts: dict[str, dict[str, date]] = defaultdict(dict)
    for event in landed.events:
        firsts[event.professional_id_anonymized].setdefault(event.event_type, _day(event.created_at))
    found = defaultdict(list)
    for days in firsts.values():
        if account := days.get("created_account"):
            able = days.get("became_able_to_propose")
            found[account.year, account.month].append(((able - account).days if able else None, "proposed" in days))
    return [
        (
            *month,
            len(all_),
            sum(days is not None for days, _ in all_),
            sum(proposed for _, proposed in all_),
            _mean(days for days, _ in all_),
        )
        for month, all_ in sorted(found.items())
    ]


def _hires_of_2021(landed: Landed) -> dict[int, list[int]]:
    hires = [row for row in landed.rows("people/employees") if row.hiring_date.startswith("2021")]
    groups = _groups(hires, lambda hire: int(hire.department_id))
    return {key: [int(hire.hiring_date[5:7]) for hire in found] for key, found in groups.items()}


def hires_by_quarter(landed: Landed) -> Rows:
    names = {row.id: row.name for row in landed.rows("people/departments")}
    return [
        (names[str(key)], *(sum((month + 2) // 3 == quarter for month in months) for quarter in (1, 2, 3, 4)))
        for key, months in _hires_of_2021(landed).items()
    ]


def departments_above_the_mean(landed: Landed) -> Rows:
    names, hires = {row.id: row.name for row in landed.rows("people/departments")}, _hires_of_2021(landed)
    mean = Fraction(sum(map(len, hires.values())), len(names))
    found = sorted((-len(months), key) for key, months in hires.items() if len(months) > mean)
    return [(names[str(key)], -count) for count, key in found]


def comments_by_user(landed: Landed) -> Rows:
    posts, comments = landed.rows("api/posts"), landed.rows("api/comments")
    author = {post.id: post.userId for post in posts}
    found = sorted(
        (-_count(comments, lambda one, user=user: author.get(one.postId) == user.id), int(user.id), user)
        for user in landed.rows("api/users")
    )
    return [
        (user.username, _count(posts, lambda post, user=user: post.userId == user.id), -count)
        for count, _, user in found
    ]


ANSWERS = (
    sales_by_month_and_country, best_customers, late_shipments, size_of_an_order, effect_of_discounts,
    sales_by_employee, product_mix, products_to_reorder, returning_customers, time_to_the_second_order,
    customers_who_stopped, open_orders, below_the_list_price, origin_of_the_goods, active_professionals,
    dearest_services, from_account_to_proposal, hires_by_quarter, departments_above_the_mean, comments_by_user,
)  # fmt: skip


@pytest.fixture(scope="module")
def home(built_homes: BuiltHomes) -> Sandbox:
    return Sandbox(Path(HOME)) if HOME else built_homes.original()


@pytest.fixture(scope="module")
def answers(home: Sandbox) -> list[Rows]:
    landed = Landed(home.home)
    return [answer(landed) for answer in ANSWERS]


@pytest.mark.parametrize("target", ["duckdb"] if HOME else ["duckdb", "postgres"])
def test_every_question_is_answered_as_the_sources_say(
    home: Sandbox, answers: list[Rows], built_homes: BuiltHomes, target: str
) -> None:
    ask = home.published if target == "duckdb" else built_homes.original(target).warehouse.query
    questions = _QUESTION.findall((PROJECT / "docs/questions.md").read_text())
    assert [int(number) for number, _ in questions] == list(range(1, len(ANSWERS) + 1))
    for (number, query), answer, expected in zip(questions, ANSWERS, answers, strict=True):
        assert expected, number
        assert ask(query) == expected, f"{number}: {answer.__name__}"
