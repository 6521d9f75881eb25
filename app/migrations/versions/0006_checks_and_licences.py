"""risk lists, daily checks, licences, closures, trainings, examinations, holidays

Revision: 0006
After: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table('holiday',
    sa.Column('date', sa.Date(), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('region', sa.String(length=40), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('public_id', sa.String(length=22), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_holiday')),
    sa.UniqueConstraint('date', 'region', name=op.f('uq_holiday_date_region')),
    sa.UniqueConstraint('public_id', name=op.f('uq_holiday_public_id'))
    )
    op.create_table('closure',
    sa.Column('site_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('date_from', sa.Date(), nullable=False),
    sa.Column('date_to', sa.Date(), nullable=True),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('search_text', sa.String(length=1000), nullable=False),
    sa.Column('lines', sa.Integer(), nullable=False),
    sa.Column('enterprise_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('public_id', sa.String(length=22), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint('date_to IS NULL OR date_to >= date_from', name=op.f('ck_closure_dates')),
    sa.ForeignKeyConstraint(['made_office_id'], ['office.id'], name=op.f('fk_closure_made_office_id_office')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_closure_office_id_office')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_closure_site_id_site')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_closure')),
    sa.UniqueConstraint('public_id', name=op.f('uq_closure_public_id'))
    )
    with op.batch_alter_table('closure', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_closure_enterprise_id'), ['enterprise_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_closure_made_office_id'), ['made_office_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_closure_office_id'), ['office_id'], unique=False)
        batch_op.create_index('ix_closure_office_id_state', ['office_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_closure_site_id'), ['site_id'], unique=False)
        batch_op.create_index('ix_closure_site_id_date_from', ['site_id', 'date_from'], unique=False)
    op.create_table('exam',
    sa.Column('enterprise_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('date', sa.Date(), nullable=False),
    sa.Column('role', sa.String(length=20), nullable=False),
    sa.Column('score', sa.Numeric(precision=5, scale=1), nullable=True),
    sa.Column('pass_mark', sa.Numeric(precision=5, scale=1), nullable=True),
    sa.Column('result', sa.String(length=10), nullable=False),
    sa.Column('retake_of_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('search_text', sa.String(length=1000), nullable=False),
    sa.Column('lines', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('public_id', sa.String(length=22), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint('score IS NULL OR (score >= 0 AND score <= 100)', name=op.f('ck_exam_score')),
    sa.ForeignKeyConstraint(['enterprise_id'], ['enterprise.id'], name=op.f('fk_exam_enterprise_id_enterprise')),
    sa.ForeignKeyConstraint(['made_office_id'], ['office.id'], name=op.f('fk_exam_made_office_id_office')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_exam_office_id_office')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_exam_person_id_person')),
    sa.ForeignKeyConstraint(['retake_of_id'], ['exam.id'], name=op.f('fk_exam_retake_of_id_exam')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_exam')),
    sa.UniqueConstraint('public_id', name=op.f('uq_exam_public_id'))
    )
    with op.batch_alter_table('exam', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_exam_enterprise_id'), ['enterprise_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_exam_made_office_id'), ['made_office_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_exam_office_id'), ['office_id'], unique=False)
        batch_op.create_index('ix_exam_office_id_date', ['office_id', 'date'], unique=False)
        batch_op.create_index('ix_exam_person_id_date', ['person_id', 'date'], unique=False)
        batch_op.create_index(batch_op.f('ix_exam_retake_of_id'), ['retake_of_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_exam_site_id'), ['site_id'], unique=False)
    op.create_table('licence',
    sa.Column('enterprise_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('site_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('kind', sa.String(length=30), nullable=False),
    sa.Column('number', sa.String(length=40), nullable=False),
    sa.Column('issuer', sa.String(length=80), nullable=False),
    sa.Column('issued', sa.Date(), nullable=True),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('scope', sa.String(length=300), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('search_text', sa.String(length=1000), nullable=False),
    sa.Column('lines', sa.Integer(), nullable=False),
    sa.Column('office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('public_id', sa.String(length=22), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint('valid_to IS NULL OR issued IS NULL OR valid_to >= issued', name=op.f('ck_licence_dates')),
    sa.ForeignKeyConstraint(['enterprise_id'], ['enterprise.id'], name=op.f('fk_licence_enterprise_id_enterprise')),
    sa.ForeignKeyConstraint(['made_office_id'], ['office.id'], name=op.f('fk_licence_made_office_id_office')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_licence_office_id_office')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_licence_site_id_site')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_licence')),
    sa.UniqueConstraint('public_id', name=op.f('uq_licence_public_id'))
    )
    with op.batch_alter_table('licence', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_licence_enterprise_id'), ['enterprise_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_licence_made_office_id'), ['made_office_id'], unique=False)
        batch_op.create_index('ix_licence_number', ['number'], unique=False)
        batch_op.create_index(batch_op.f('ix_licence_office_id'), ['office_id'], unique=False)
        batch_op.create_index('ix_licence_office_id_valid_to', ['office_id', 'valid_to'], unique=False)
        batch_op.create_index(batch_op.f('ix_licence_site_id'), ['site_id'], unique=False)
    op.create_table('risk_list',
    sa.Column('title', sa.String(length=120), nullable=False),
    sa.Column('line', sa.String(length=10), nullable=False),
    sa.Column('site_kind', sa.String(length=30), nullable=True),
    sa.Column('enterprise_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('site_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('base_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('template', sa.Boolean(), nullable=False),
    sa.Column('edition', sa.Integer(), nullable=False),
    sa.Column('compiler', sa.String(length=60), nullable=False),
    sa.Column('reviewer', sa.String(length=60), nullable=False),
    sa.Column('approver', sa.String(length=60), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=True),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('search_text', sa.String(length=1000), nullable=False),
    sa.Column('lines', sa.Integer(), nullable=False),
    sa.Column('office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('public_id', sa.String(length=22), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint('valid_to IS NULL OR valid_to >= valid_from', name=op.f('ck_risk_list_dates')),
    sa.ForeignKeyConstraint(['base_id'], ['risk_list.id'], name=op.f('fk_risk_list_base_id_risk_list')),
    sa.ForeignKeyConstraint(['enterprise_id'], ['enterprise.id'], name=op.f('fk_risk_list_enterprise_id_enterprise')),
    sa.ForeignKeyConstraint(['made_office_id'], ['office.id'], name=op.f('fk_risk_list_made_office_id_office')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_risk_list_office_id_office')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_risk_list_site_id_site')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_risk_list')),
    sa.UniqueConstraint('public_id', name=op.f('uq_risk_list_public_id'))
    )
    with op.batch_alter_table('risk_list', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_risk_list_base_id'), ['base_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_risk_list_enterprise_id'), ['enterprise_id'], unique=False)
        batch_op.create_index('ix_risk_list_line_state', ['line', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_risk_list_made_office_id'), ['made_office_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_risk_list_office_id'), ['office_id'], unique=False)
        batch_op.create_index('ix_risk_list_office_id_state', ['office_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_risk_list_site_id'), ['site_id'], unique=False)
    op.create_table('training',
    sa.Column('enterprise_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('date', sa.Date(), nullable=False),
    sa.Column('hours', sa.Numeric(precision=5, scale=1), nullable=False),
    sa.Column('topic', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=20), nullable=False),
    sa.Column('provider', sa.String(length=120), nullable=False),
    sa.Column('evidence', sa.String(length=200), nullable=False),
    sa.Column('search_text', sa.String(length=1000), nullable=False),
    sa.Column('lines', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('public_id', sa.String(length=22), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint('hours > 0', name=op.f('ck_training_hours')),
    sa.ForeignKeyConstraint(['enterprise_id'], ['enterprise.id'], name=op.f('fk_training_enterprise_id_enterprise')),
    sa.ForeignKeyConstraint(['made_office_id'], ['office.id'], name=op.f('fk_training_made_office_id_office')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_training_office_id_office')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_training_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_training')),
    sa.UniqueConstraint('public_id', name=op.f('uq_training_public_id'))
    )
    with op.batch_alter_table('training', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_training_enterprise_id'), ['enterprise_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_training_made_office_id'), ['made_office_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_training_office_id'), ['office_id'], unique=False)
        batch_op.create_index('ix_training_office_id_date', ['office_id', 'date'], unique=False)
        batch_op.create_index('ix_training_person_id_date', ['person_id', 'date'], unique=False)
        batch_op.create_index(batch_op.f('ix_training_site_id'), ['site_id'], unique=False)
    op.create_table('daily_check',
    sa.Column('site_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('check_date', sa.Date(), nullable=False),
    sa.Column('risk_list_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('post', sa.String(length=20), nullable=False),
    sa.Column('unit', sa.String(length=120), nullable=False),
    sa.Column('results', sa.JSON(), nullable=False),
    sa.Column('zero_risk', sa.Boolean(), nullable=False),
    sa.Column('reported_to', sa.String(length=60), nullable=False),
    sa.Column('reported_at', sa.DateTime(), nullable=True),
    sa.Column('late', sa.Boolean(), nullable=False),
    sa.Column('late_reason', sa.String(length=200), nullable=False),
    sa.Column('transcribed', sa.Boolean(), nullable=False),
    sa.Column('corrects_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('device_date', sa.Date(), nullable=True),
    sa.Column('submitted_at', sa.DateTime(), nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('search_text', sa.String(length=1000), nullable=False),
    sa.Column('lines', sa.Integer(), nullable=False),
    sa.Column('enterprise_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('made_office_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('public_id', sa.String(length=22), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['corrects_id'], ['daily_check.id'], name=op.f('fk_daily_check_corrects_id_daily_check')),
    sa.ForeignKeyConstraint(['made_office_id'], ['office.id'], name=op.f('fk_daily_check_made_office_id_office')),
    sa.ForeignKeyConstraint(['office_id'], ['office.id'], name=op.f('fk_daily_check_office_id_office')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_daily_check_person_id_person')),
    sa.ForeignKeyConstraint(['risk_list_id'], ['risk_list.id'], name=op.f('fk_daily_check_risk_list_id_risk_list')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_daily_check_site_id_site')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_daily_check')),
    sa.UniqueConstraint('public_id', name=op.f('uq_daily_check_public_id'))
    )
    with op.batch_alter_table('daily_check', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_daily_check_corrects_id'), ['corrects_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_daily_check_enterprise_id'), ['enterprise_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_daily_check_made_office_id'), ['made_office_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_daily_check_office_id'), ['office_id'], unique=False)
        batch_op.create_index('ix_daily_check_office_id_check_date', ['office_id', 'check_date'], unique=False)
        batch_op.create_index(batch_op.f('ix_daily_check_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_daily_check_risk_list_id'), ['risk_list_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_daily_check_site_id'), ['site_id'], unique=False)
        batch_op.create_index('uq_daily_check_live', ['site_id', 'check_date'], unique=True, sqlite_where=sa.text("state = '已提交'"), postgresql_where=sa.text("state = '已提交'"))
        batch_op.create_index('uq_daily_check_open', ['site_id', 'check_date'], unique=True, sqlite_where=sa.text("state = '草稿'"), postgresql_where=sa.text("state = '草稿'"))
    op.create_table('risk_item',
    sa.Column('risk_list_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=10), nullable=False),
    sa.Column('text', sa.String(length=200), nullable=False),
    sa.Column('why', sa.String(length=200), nullable=False),
    sa.Column('basis', sa.String(length=200), nullable=False),
    sa.Column('basis_confirmed', sa.Boolean(), nullable=False),
    sa.Column('key_item', sa.Boolean(), nullable=False),
    sa.Column('frequency', sa.String(length=2), nullable=False),
    sa.Column('dropped', sa.Boolean(), nullable=False),
    sa.Column('drop_reason', sa.String(length=200), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('public_id', sa.String(length=22), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['risk_list_id'], ['risk_list.id'], name=op.f('fk_risk_item_risk_list_id_risk_list')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_risk_item')),
    sa.UniqueConstraint('public_id', name=op.f('uq_risk_item_public_id'))
    )
    with op.batch_alter_table('risk_item', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_risk_item_risk_list_id'), ['risk_list_id'], unique=False)
    op.create_table('check_problem',
    sa.Column('check_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('item_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=10), nullable=False),
    sa.Column('result', sa.String(length=10), nullable=False),
    sa.Column('note', sa.String(length=300), nullable=False),
    sa.Column('measure', sa.String(length=300), nullable=False),
    sa.Column('responsible', sa.String(length=60), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('public_id', sa.String(length=22), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(), nullable=False),
    sa.Column('made_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['check_id'], ['daily_check.id'], name=op.f('fk_check_problem_check_id_daily_check')),
    sa.ForeignKeyConstraint(['item_id'], ['risk_item.id'], name=op.f('fk_check_problem_item_id_risk_item')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_check_problem')),
    sa.UniqueConstraint('public_id', name=op.f('uq_check_problem_public_id'))
    )
    with op.batch_alter_table('check_problem', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_check_problem_check_id'), ['check_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_check_problem_item_id'), ['item_id'], unique=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table('check_problem', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_check_problem_item_id'))
        batch_op.drop_index(batch_op.f('ix_check_problem_check_id'))
    op.drop_table('check_problem')
    with op.batch_alter_table('risk_item', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_risk_item_risk_list_id'))
    op.drop_table('risk_item')
    with op.batch_alter_table('daily_check', schema=None) as batch_op:
        batch_op.drop_index('uq_daily_check_open', sqlite_where=sa.text("state = '草稿'"), postgresql_where=sa.text("state = '草稿'"))
        batch_op.drop_index('uq_daily_check_live', sqlite_where=sa.text("state = '已提交'"), postgresql_where=sa.text("state = '已提交'"))
        batch_op.drop_index(batch_op.f('ix_daily_check_site_id'))
        batch_op.drop_index(batch_op.f('ix_daily_check_risk_list_id'))
        batch_op.drop_index(batch_op.f('ix_daily_check_person_id'))
        batch_op.drop_index('ix_daily_check_office_id_check_date')
        batch_op.drop_index(batch_op.f('ix_daily_check_office_id'))
        batch_op.drop_index(batch_op.f('ix_daily_check_made_office_id'))
        batch_op.drop_index(batch_op.f('ix_daily_check_enterprise_id'))
        batch_op.drop_index(batch_op.f('ix_daily_check_corrects_id'))
    op.drop_table('daily_check')
    with op.batch_alter_table('training', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_training_site_id'))
        batch_op.drop_index('ix_training_person_id_date')
        batch_op.drop_index('ix_training_office_id_date')
        batch_op.drop_index(batch_op.f('ix_training_office_id'))
        batch_op.drop_index(batch_op.f('ix_training_made_office_id'))
        batch_op.drop_index(batch_op.f('ix_training_enterprise_id'))
    op.drop_table('training')
    with op.batch_alter_table('risk_list', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_risk_list_site_id'))
        batch_op.drop_index('ix_risk_list_office_id_state')
        batch_op.drop_index(batch_op.f('ix_risk_list_office_id'))
        batch_op.drop_index(batch_op.f('ix_risk_list_made_office_id'))
        batch_op.drop_index('ix_risk_list_line_state')
        batch_op.drop_index(batch_op.f('ix_risk_list_enterprise_id'))
        batch_op.drop_index(batch_op.f('ix_risk_list_base_id'))
    op.drop_table('risk_list')
    with op.batch_alter_table('licence', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_licence_site_id'))
        batch_op.drop_index('ix_licence_office_id_valid_to')
        batch_op.drop_index(batch_op.f('ix_licence_office_id'))
        batch_op.drop_index('ix_licence_number')
        batch_op.drop_index(batch_op.f('ix_licence_made_office_id'))
        batch_op.drop_index(batch_op.f('ix_licence_enterprise_id'))
    op.drop_table('licence')
    with op.batch_alter_table('exam', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_exam_site_id'))
        batch_op.drop_index(batch_op.f('ix_exam_retake_of_id'))
        batch_op.drop_index('ix_exam_person_id_date')
        batch_op.drop_index('ix_exam_office_id_date')
        batch_op.drop_index(batch_op.f('ix_exam_office_id'))
        batch_op.drop_index(batch_op.f('ix_exam_made_office_id'))
        batch_op.drop_index(batch_op.f('ix_exam_enterprise_id'))
    op.drop_table('exam')
    with op.batch_alter_table('closure', schema=None) as batch_op:
        batch_op.drop_index('ix_closure_site_id_date_from')
        batch_op.drop_index(batch_op.f('ix_closure_site_id'))
        batch_op.drop_index('ix_closure_office_id_state')
        batch_op.drop_index(batch_op.f('ix_closure_office_id'))
        batch_op.drop_index(batch_op.f('ix_closure_made_office_id'))
        batch_op.drop_index(batch_op.f('ix_closure_enterprise_id'))
    op.drop_table('closure')
    op.drop_table('holiday')
