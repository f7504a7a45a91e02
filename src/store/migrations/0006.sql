-- The Book holds subscriptions and movements: what changed of them is asked for after every change.
CREATE INDEX subscription_seq ON subscription (seq);
CREATE INDEX movement_seq ON movement (seq);
