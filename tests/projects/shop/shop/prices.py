"""What an order costs."""

DISCOUNT_FROM = 10


def total(price: int, count: int) -> int:
    """Return the price of an order in cents; ten or more are a tenth cheaper."""
    amount = price * count
    if count >= DISCOUNT_FROM:
        amount -= amount // 10
    return amount


def shown(amount: int) -> str:
    """Return an amount as customers read it."""
    return f"{amount // 100}.{amount % 100:02}"
