"""Issue and verify sealed after-sales service confirmations (售后维修服务确认书)."""

__version__ = "0.1.0.dev0"
