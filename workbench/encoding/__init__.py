"""From texts to rows: plan, forward, several processes."""
