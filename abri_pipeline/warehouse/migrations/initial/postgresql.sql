-- The first schema on postgresql: drawn from the contracts by migrations/draft.py, frozen once released.
CREATE TABLE price_history_daily (
    symbol TEXT COLLATE "C" NOT NULL,
    date DATE NOT NULL,
    instrument_id TEXT COLLATE "C" NOT NULL,
    open DOUBLE PRECISION,
    high DOUBLE PRECISION,
    low DOUBLE PRECISION,
    close DOUBLE PRECISION NOT NULL,
    adj_close DOUBLE PRECISION,
    volume BIGINT,
    market_cap DOUBLE PRECISION,
    bar_status TEXT COLLATE "C" NOT NULL,
    source_provider TEXT COLLATE "C" NOT NULL,
    raw_hash TEXT COLLATE "C" NOT NULL,
    pulled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_price_history_daily PRIMARY KEY (symbol, date),
    CONSTRAINT ck_price_history_daily_open_finite CHECK ("open" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_price_history_daily_open_above CHECK ("open" > 0),
    CONSTRAINT ck_price_history_daily_high_finite CHECK ("high" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_price_history_daily_high_above CHECK ("high" > 0),
    CONSTRAINT ck_price_history_daily_low_finite CHECK ("low" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_price_history_daily_low_above CHECK ("low" > 0),
    CONSTRAINT ck_price_history_daily_close_finite CHECK ("close" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_price_history_daily_close_above CHECK ("close" > 0),
    CONSTRAINT ck_price_history_daily_adj_close_finite CHECK ("adj_close" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_price_history_daily_adj_close_above CHECK ("adj_close" > 0),
    CONSTRAINT ck_price_history_daily_volume_low CHECK ("volume" >= 0),
    CONSTRAINT ck_price_history_daily_market_cap_finite CHECK ("market_cap" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_price_history_daily_market_cap_above CHECK ("market_cap" > 0),
    CONSTRAINT ck_price_history_daily_bar_status_choice CHECK ("bar_status" IN ('provisional', 'final')),
    CONSTRAINT ck_price_history_daily_low_to_high CHECK ("low" <= "high"),
    CONSTRAINT ck_price_history_daily_low_to_open CHECK ("low" <= "open"),
    CONSTRAINT ck_price_history_daily_low_to_close CHECK ("low" <= "close"),
    CONSTRAINT ck_price_history_daily_open_to_high CHECK ("open" <= "high"),
    CONSTRAINT ck_price_history_daily_close_to_high CHECK ("close" <= "high")
)
 WITH (fillfactor = 90)

CREATE INDEX ix_price_history_daily_date ON price_history_daily (date)

CREATE TABLE corporate_actions (
    symbol TEXT COLLATE "C" NOT NULL,
    date DATE NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    source_provider TEXT COLLATE "C" NOT NULL,
    raw_hash TEXT COLLATE "C" NOT NULL,
    pulled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_corporate_actions PRIMARY KEY (symbol, date, action),
    CONSTRAINT ck_corporate_actions_action_choice CHECK ("action" IN ('dividend', 'split')),
    CONSTRAINT ck_corporate_actions_value_finite CHECK ("value" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_corporate_actions_value_above CHECK ("value" > 0)
)

CREATE INDEX ix_corporate_actions_date ON corporate_actions (date)

CREATE TABLE price_history_intraday (
    symbol TEXT COLLATE "C" NOT NULL,
    timeframe TEXT COLLATE "C" NOT NULL,
    datetime TIMESTAMP WITH TIME ZONE NOT NULL,
    date DATE NOT NULL,
    instrument_id TEXT COLLATE "C" NOT NULL,
    open DOUBLE PRECISION,
    high DOUBLE PRECISION,
    low DOUBLE PRECISION,
    close DOUBLE PRECISION NOT NULL,
    volume BIGINT,
    source_provider TEXT COLLATE "C" NOT NULL,
    raw_hash TEXT COLLATE "C" NOT NULL,
    pulled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_price_history_intraday PRIMARY KEY (symbol, timeframe, datetime),
    CONSTRAINT ck_price_history_intraday_timeframe_choice CHECK ("timeframe" IN ('1m', '5m', '15m', '30m', '1h', '4h')),
    CONSTRAINT ck_price_history_intraday_open_finite CHECK ("open" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_price_history_intraday_open_above CHECK ("open" > 0),
    CONSTRAINT ck_price_history_intraday_high_finite CHECK ("high" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_price_history_intraday_high_above CHECK ("high" > 0),
    CONSTRAINT ck_price_history_intraday_low_finite CHECK ("low" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_price_history_intraday_low_above CHECK ("low" > 0),
    CONSTRAINT ck_price_history_intraday_close_finite CHECK ("close" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_price_history_intraday_close_above CHECK ("close" > 0),
    CONSTRAINT ck_price_history_intraday_volume_low CHECK ("volume" >= 0),
    CONSTRAINT ck_price_history_intraday_low_to_high CHECK ("low" <= "high"),
    CONSTRAINT ck_price_history_intraday_low_to_open CHECK ("low" <= "open"),
    CONSTRAINT ck_price_history_intraday_low_to_close CHECK ("low" <= "close"),
    CONSTRAINT ck_price_history_intraday_open_to_high CHECK ("open" <= "high"),
    CONSTRAINT ck_price_history_intraday_close_to_high CHECK ("close" <= "high")
)
 PARTITION BY RANGE ("datetime")

CREATE INDEX ix_price_history_intraday_date ON price_history_intraday (date)

CREATE TABLE credit_spreads (
    date DATE NOT NULL,
    hy_oas DOUBLE PRECISION,
    ig_bbb_oas DOUBLE PRECISION,
    hy_ig_diff DOUBLE PRECISION,
    treasury_10y DOUBLE PRECISION,
    baa10y DOUBLE PRECISION,
    substitute TEXT COLLATE "C",
    available_at TIMESTAMP WITH TIME ZONE NOT NULL,
    source_provider TEXT COLLATE "C" NOT NULL,
    raw_hash TEXT COLLATE "C" NOT NULL,
    pulled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_credit_spreads PRIMARY KEY (date),
    CONSTRAINT ck_credit_spreads_hy_oas_finite CHECK ("hy_oas" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_credit_spreads_hy_oas_low CHECK ("hy_oas" >= 0),
    CONSTRAINT ck_credit_spreads_ig_bbb_oas_finite CHECK ("ig_bbb_oas" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_credit_spreads_ig_bbb_oas_low CHECK ("ig_bbb_oas" >= 0),
    CONSTRAINT ck_credit_spreads_hy_ig_diff_finite CHECK ("hy_ig_diff" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_credit_spreads_treasury_10y_finite CHECK ("treasury_10y" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_credit_spreads_baa10y_finite CHECK ("baa10y" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_credit_spreads_substitute_choice CHECK ("substitute" IN ('BAA10Y'))
)

CREATE TABLE index_weights (
    effective_date DATE NOT NULL,
    line TEXT COLLATE "C" NOT NULL,
    weight DOUBLE PRECISION NOT NULL,
    available_at TIMESTAMP WITH TIME ZONE NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    source_provider TEXT COLLATE "C" NOT NULL,
    raw_hash TEXT COLLATE "C" NOT NULL,
    pulled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_index_weights PRIMARY KEY (effective_date, line),
    CONSTRAINT ck_index_weights_line_choice CHECK ("line" IN ('AAPL', 'MSFT', 'NVDA', 'AMZN', 'META', 'GOOGL', 'GOOG', 'TSLA', 'IT_SECTOR', 'IT_SECTOR_GICS2023')),
    CONSTRAINT ck_index_weights_weight_finite CHECK ("weight" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_index_weights_weight_low CHECK ("weight" >= 0),
    CONSTRAINT ck_index_weights_weight_high CHECK ("weight" <= 1)
)

CREATE TABLE market_metrics (
    date DATE NOT NULL,
    mag7_weight DOUBLE PRECISION,
    tech_weight DOUBLE PRECISION,
    tech_weight_gics2023 DOUBLE PRECISION,
    nvda_spy_corr DOUBLE PRECISION,
    mag7_spy_corr DOUBLE PRECISION,
    weights_anchor_on DATE,
    leveraged_etf_aum DOUBLE PRECISION,
    available_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_market_metrics PRIMARY KEY (date),
    CONSTRAINT ck_market_metrics_mag7_weight_finite CHECK ("mag7_weight" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_market_metrics_mag7_weight_low CHECK ("mag7_weight" >= 0),
    CONSTRAINT ck_market_metrics_mag7_weight_high CHECK ("mag7_weight" <= 1),
    CONSTRAINT ck_market_metrics_tech_weight_finite CHECK ("tech_weight" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_market_metrics_tech_weight_low CHECK ("tech_weight" >= 0),
    CONSTRAINT ck_market_metrics_tech_weight_high CHECK ("tech_weight" <= 1),
    CONSTRAINT ck_market_metrics_tech_weight_gics2023_finite CHECK ("tech_weight_gics2023" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_market_metrics_tech_weight_gics2023_low CHECK ("tech_weight_gics2023" >= 0),
    CONSTRAINT ck_market_metrics_tech_weight_gics2023_high CHECK ("tech_weight_gics2023" <= 1),
    CONSTRAINT ck_market_metrics_nvda_spy_corr_finite CHECK ("nvda_spy_corr" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_market_metrics_nvda_spy_corr_low CHECK ("nvda_spy_corr" >= -1),
    CONSTRAINT ck_market_metrics_nvda_spy_corr_high CHECK ("nvda_spy_corr" <= 1),
    CONSTRAINT ck_market_metrics_mag7_spy_corr_finite CHECK ("mag7_spy_corr" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_market_metrics_mag7_spy_corr_low CHECK ("mag7_spy_corr" >= -1),
    CONSTRAINT ck_market_metrics_mag7_spy_corr_high CHECK ("mag7_spy_corr" <= 1),
    CONSTRAINT ck_market_metrics_leveraged_etf_aum_finite CHECK ("leveraged_etf_aum" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_market_metrics_leveraged_etf_aum_low CHECK ("leveraged_etf_aum" >= 0)
)

CREATE TABLE gpu_prices (
    observed_on DATE NOT NULL,
    gpu_model TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    price_kind TEXT COLLATE "C" NOT NULL,
    variant TEXT COLLATE "C" NOT NULL,
    price_per_gpu_hour DOUBLE PRECISION NOT NULL,
    notes TEXT COLLATE "C",
    source_url TEXT COLLATE "C",
    available_at TIMESTAMP WITH TIME ZONE NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    source_provider TEXT COLLATE "C" NOT NULL,
    raw_hash TEXT COLLATE "C" NOT NULL,
    pulled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_gpu_prices PRIMARY KEY (observed_on, gpu_model, source, price_kind, variant),
    CONSTRAINT ck_gpu_prices_gpu_model_choice CHECK ("gpu_model" IN ('H100-80GB', 'H200', 'A100-80GB', 'A100-40GB', 'L40S')),
    CONSTRAINT ck_gpu_prices_price_kind_choice CHECK ("price_kind" IN ('on_demand', 'spot', 'reserved')),
    CONSTRAINT ck_gpu_prices_price_per_gpu_hour_finite CHECK ("price_per_gpu_hour" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_gpu_prices_price_per_gpu_hour_above CHECK ("price_per_gpu_hour" > 0),
    CONSTRAINT ck_gpu_prices_price_per_gpu_hour_high CHECK ("price_per_gpu_hour" <= 100)
)

CREATE TABLE filings (
    accession TEXT COLLATE "C" NOT NULL,
    ticker TEXT COLLATE "C" NOT NULL,
    form TEXT COLLATE "C" NOT NULL,
    period_end DATE,
    filed_on DATE NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE,
    url TEXT COLLATE "C",
    available_at TIMESTAMP WITH TIME ZONE NOT NULL,
    source_provider TEXT COLLATE "C" NOT NULL,
    raw_hash TEXT COLLATE "C" NOT NULL,
    pulled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_filings PRIMARY KEY (accession)
)

CREATE INDEX ix_filings_filed_on ON filings (filed_on)

CREATE TABLE filing_facts (
    accession TEXT COLLATE "C" NOT NULL,
    tag TEXT COLLATE "C" NOT NULL,
    unit TEXT COLLATE "C" NOT NULL,
    start DATE NOT NULL,
    "end" DATE NOT NULL,
    ticker TEXT COLLATE "C" NOT NULL,
    filed_on DATE NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    source_provider TEXT COLLATE "C" NOT NULL,
    raw_hash TEXT COLLATE "C" NOT NULL,
    pulled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_filing_facts PRIMARY KEY (accession, tag, unit, start, "end"),
    CONSTRAINT ck_filing_facts_value_finite CHECK ("value" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_filing_facts_start_to_end CHECK ("start" <= "end")
)

CREATE INDEX ix_filing_facts_filed_on ON filing_facts (filed_on)

CREATE TABLE segment_revenue (
    ticker TEXT COLLATE "C" NOT NULL,
    fiscal_period TEXT COLLATE "C" NOT NULL,
    segment TEXT COLLATE "C" NOT NULL,
    period_end DATE NOT NULL,
    revenue DOUBLE PRECISION NOT NULL,
    source_url TEXT COLLATE "C",
    available_at TIMESTAMP WITH TIME ZONE NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    source_provider TEXT COLLATE "C" NOT NULL,
    raw_hash TEXT COLLATE "C" NOT NULL,
    pulled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_segment_revenue PRIMARY KEY (ticker, fiscal_period, segment),
    CONSTRAINT ck_segment_revenue_revenue_finite CHECK ("revenue" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_segment_revenue_revenue_low CHECK ("revenue" >= 0)
)

CREATE INDEX ix_segment_revenue_period_end ON segment_revenue (period_end)

CREATE TABLE hyperscaler_metrics (
    ticker TEXT COLLATE "C" NOT NULL,
    fiscal_period TEXT COLLATE "C" NOT NULL,
    filed_on DATE NOT NULL,
    period_end DATE NOT NULL,
    calendar_quarter TEXT COLLATE "C" NOT NULL,
    capex DOUBLE PRECISION,
    operating_cf DOUBLE PRECISION,
    capex_ocf_ratio DOUBLE PRECISION,
    total_debt DOUBLE PRECISION,
    total_equity DOUBLE PRECISION,
    depreciation DOUBLE PRECISION,
    receivables DOUBLE PRECISION,
    revenue DOUBLE PRECISION,
    days_sales_outstanding DOUBLE PRECISION,
    adj_debt_equity DOUBLE PRECISION,
    ai_revenue_low DOUBLE PRECISION,
    ai_revenue_mid DOUBLE PRECISION,
    ai_revenue_high DOUBLE PRECISION,
    ai_revenue_method TEXT COLLATE "C",
    source_url TEXT COLLATE "C",
    accession TEXT COLLATE "C" NOT NULL,
    available_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_hyperscaler_metrics PRIMARY KEY (ticker, fiscal_period, filed_on),
    CONSTRAINT ck_hyperscaler_metrics_capex_finite CHECK ("capex" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_operating_cf_finite CHECK ("operating_cf" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_capex_ocf_ratio_finite CHECK ("capex_ocf_ratio" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_total_debt_finite CHECK ("total_debt" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_total_debt_low CHECK ("total_debt" >= 0),
    CONSTRAINT ck_hyperscaler_metrics_total_equity_finite CHECK ("total_equity" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_depreciation_finite CHECK ("depreciation" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_receivables_finite CHECK ("receivables" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_receivables_low CHECK ("receivables" >= 0),
    CONSTRAINT ck_hyperscaler_metrics_revenue_finite CHECK ("revenue" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_revenue_low CHECK ("revenue" >= 0),
    CONSTRAINT ck_hyperscaler_metrics_days_sales_outstanding_finite CHECK ("days_sales_outstanding" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_days_sales_outstanding_low CHECK ("days_sales_outstanding" >= 0),
    CONSTRAINT ck_hyperscaler_metrics_adj_debt_equity_finite CHECK ("adj_debt_equity" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_ai_revenue_low_finite CHECK ("ai_revenue_low" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_ai_revenue_low_low CHECK ("ai_revenue_low" >= 0),
    CONSTRAINT ck_hyperscaler_metrics_ai_revenue_mid_finite CHECK ("ai_revenue_mid" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_ai_revenue_mid_low CHECK ("ai_revenue_mid" >= 0),
    CONSTRAINT ck_hyperscaler_metrics_ai_revenue_high_finite CHECK ("ai_revenue_high" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_hyperscaler_metrics_ai_revenue_high_low CHECK ("ai_revenue_high" >= 0),
    CONSTRAINT ck_hyperscaler_metrics_ai_revenue_low_to_ai_revenue_mid CHECK ("ai_revenue_low" <= "ai_revenue_mid"),
    CONSTRAINT ck_hyperscaler_metrics_ai_revenue_mid_to_ai_revenue_high CHECK ("ai_revenue_mid" <= "ai_revenue_high")
)

CREATE INDEX ix_hyperscaler_metrics_period_end ON hyperscaler_metrics (period_end)

CREATE TABLE deals (
    deal_id TEXT COLLATE "C" NOT NULL,
    announced_date DATE NOT NULL,
    date_precision TEXT COLLATE "C" NOT NULL,
    company TEXT COLLATE "C" NOT NULL,
    amount_usd_millions DOUBLE PRECISION,
    structure_type TEXT COLLATE "C" NOT NULL,
    counterparty TEXT COLLATE "C",
    is_circular BOOLEAN NOT NULL,
    circularity_reason TEXT COLLATE "C",
    scored BOOLEAN NOT NULL,
    ruling TEXT COLLATE "C",
    source_url TEXT COLLATE "C",
    notes TEXT COLLATE "C",
    available_at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    source_provider TEXT COLLATE "C" NOT NULL,
    raw_hash TEXT COLLATE "C" NOT NULL,
    pulled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_deals PRIMARY KEY (deal_id),
    CONSTRAINT ck_deals_date_precision_choice CHECK ("date_precision" IN ('day', 'month', 'approx')),
    CONSTRAINT ck_deals_amount_usd_millions_finite CHECK ("amount_usd_millions" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_deals_amount_usd_millions_above CHECK ("amount_usd_millions" > 0),
    CONSTRAINT ck_deals_structure_type_choice CHECK ("structure_type" IN ('spv', 'corporate_debt', 'sale_leaseback', 'equity', 'lease', 'vendor_financing', 'other'))
)

CREATE INDEX ix_deals_announced_date ON deals (announced_date)

CREATE TABLE abri_history (
    as_of DATE NOT NULL,
    method TEXT COLLATE "C" NOT NULL,
    knowledge_at TIMESTAMP WITH TIME ZONE NOT NULL,
    input_digest TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    concentration_score DOUBLE PRECISION,
    correlation_score DOUBLE PRECISION,
    credit_stress_score DOUBLE PRECISION,
    gpu_deflation_score DOUBLE PRECISION,
    capex_intensity_score DOUBLE PRECISION,
    revenue_gap_score DOUBLE PRECISION,
    deal_flow_score DOUBLE PRECISION,
    composite_score DOUBLE PRECISION,
    level TEXT COLLATE "C",
    vulnerability DOUBLE PRECISION,
    stress DOUBLE PRECISION,
    abri_c DOUBLE PRECISION,
    p5 DOUBLE PRECISION,
    p50 DOUBLE PRECISION,
    p95 DOUBLE PRECISION,
    coverage DOUBLE PRECISION NOT NULL,
    crowded BOOLEAN,
    inputs TEXT COLLATE "C" NOT NULL,
    supersedes TEXT COLLATE "C",
    reason TEXT COLLATE "C",
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_abri_history PRIMARY KEY (as_of, method, knowledge_at, input_digest),
    CONSTRAINT ck_abri_history_kind_choice CHECK ("kind" IN ('live', 'reconstructed', 'replay')),
    CONSTRAINT ck_abri_history_status_choice CHECK ("status" IN ('full', 'official_partial', 'indicative', 'none')),
    CONSTRAINT ck_abri_history_concentration_score_finite CHECK ("concentration_score" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_concentration_score_low CHECK ("concentration_score" >= 0),
    CONSTRAINT ck_abri_history_concentration_score_high CHECK ("concentration_score" <= 100),
    CONSTRAINT ck_abri_history_correlation_score_finite CHECK ("correlation_score" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_correlation_score_low CHECK ("correlation_score" >= 0),
    CONSTRAINT ck_abri_history_correlation_score_high CHECK ("correlation_score" <= 100),
    CONSTRAINT ck_abri_history_credit_stress_score_finite CHECK ("credit_stress_score" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_credit_stress_score_low CHECK ("credit_stress_score" >= 0),
    CONSTRAINT ck_abri_history_credit_stress_score_high CHECK ("credit_stress_score" <= 100),
    CONSTRAINT ck_abri_history_gpu_deflation_score_finite CHECK ("gpu_deflation_score" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_gpu_deflation_score_low CHECK ("gpu_deflation_score" >= 0),
    CONSTRAINT ck_abri_history_gpu_deflation_score_high CHECK ("gpu_deflation_score" <= 100),
    CONSTRAINT ck_abri_history_capex_intensity_score_finite CHECK ("capex_intensity_score" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_capex_intensity_score_low CHECK ("capex_intensity_score" >= 0),
    CONSTRAINT ck_abri_history_capex_intensity_score_high CHECK ("capex_intensity_score" <= 100),
    CONSTRAINT ck_abri_history_revenue_gap_score_finite CHECK ("revenue_gap_score" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_revenue_gap_score_low CHECK ("revenue_gap_score" >= 0),
    CONSTRAINT ck_abri_history_revenue_gap_score_high CHECK ("revenue_gap_score" <= 100),
    CONSTRAINT ck_abri_history_deal_flow_score_finite CHECK ("deal_flow_score" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_deal_flow_score_low CHECK ("deal_flow_score" >= 0),
    CONSTRAINT ck_abri_history_deal_flow_score_high CHECK ("deal_flow_score" <= 100),
    CONSTRAINT ck_abri_history_composite_score_finite CHECK ("composite_score" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_composite_score_low CHECK ("composite_score" >= 0),
    CONSTRAINT ck_abri_history_composite_score_high CHECK ("composite_score" <= 100),
    CONSTRAINT ck_abri_history_level_choice CHECK ("level" IN ('Normal', 'Elevated', 'Bubble', 'Extreme')),
    CONSTRAINT ck_abri_history_vulnerability_finite CHECK ("vulnerability" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_vulnerability_low CHECK ("vulnerability" >= 0),
    CONSTRAINT ck_abri_history_vulnerability_high CHECK ("vulnerability" <= 100),
    CONSTRAINT ck_abri_history_stress_finite CHECK ("stress" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_stress_low CHECK ("stress" >= 0),
    CONSTRAINT ck_abri_history_stress_high CHECK ("stress" <= 100),
    CONSTRAINT ck_abri_history_abri_c_finite CHECK ("abri_c" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_abri_c_low CHECK ("abri_c" >= 0),
    CONSTRAINT ck_abri_history_abri_c_high CHECK ("abri_c" <= 100),
    CONSTRAINT ck_abri_history_p5_finite CHECK ("p5" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_p5_low CHECK ("p5" >= 0),
    CONSTRAINT ck_abri_history_p5_high CHECK ("p5" <= 100),
    CONSTRAINT ck_abri_history_p50_finite CHECK ("p50" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_p50_low CHECK ("p50" >= 0),
    CONSTRAINT ck_abri_history_p50_high CHECK ("p50" <= 100),
    CONSTRAINT ck_abri_history_p95_finite CHECK ("p95" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_p95_low CHECK ("p95" >= 0),
    CONSTRAINT ck_abri_history_p95_high CHECK ("p95" <= 100),
    CONSTRAINT ck_abri_history_coverage_finite CHECK ("coverage" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_abri_history_coverage_low CHECK ("coverage" >= 0),
    CONSTRAINT ck_abri_history_coverage_high CHECK ("coverage" <= 1)
)

CREATE TABLE instruments (
    instrument_id TEXT COLLATE "C" NOT NULL,
    symbol TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    asset_class TEXT COLLATE "C" NOT NULL,
    exchange_calendar TEXT COLLATE "C" NOT NULL,
    listed_on DATE,
    delisted_on DATE,
    active BOOLEAN NOT NULL,
    timeframes TEXT COLLATE "C" NOT NULL,
    groups TEXT COLLATE "C" NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_instruments PRIMARY KEY (instrument_id),
    CONSTRAINT ck_instruments_asset_class_choice CHECK ("asset_class" IN ('equity', 'etf', 'crypto'))
)

CREATE TABLE instrument_symbols (
    instrument_id TEXT COLLATE "C" NOT NULL,
    symbol TEXT COLLATE "C" NOT NULL,
    valid_from DATE NOT NULL,
    valid_to DATE,
    CONSTRAINT pk_instrument_symbols PRIMARY KEY (instrument_id, symbol, valid_from)
)

CREATE TABLE coverage (
    symbol TEXT COLLATE "C" NOT NULL,
    timeframe TEXT COLLATE "C" NOT NULL,
    range_start DATE NOT NULL,
    range_end DATE NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    next_attempt_at TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_coverage PRIMARY KEY (symbol, timeframe, range_start),
    CONSTRAINT ck_coverage_state_choice CHECK ("state" IN ('have', 'verified_empty', 'unavailable', 'missing')),
    CONSTRAINT ck_coverage_range_start_to_range_end CHECK ("range_start" <= "range_end")
)

CREATE TABLE rejected_rows (
    payload_hash TEXT COLLATE "C" NOT NULL,
    row TEXT COLLATE "C" NOT NULL,
    rule TEXT COLLATE "C" NOT NULL,
    dataset TEXT COLLATE "C" NOT NULL,
    symbol TEXT COLLATE "C",
    observed_on DATE,
    reason TEXT COLLATE "C" NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_rejected_rows PRIMARY KEY (payload_hash, row, rule)
)

CREATE TABLE backfill_runs (
    run_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    window_start DATE NOT NULL,
    window_end DATE NOT NULL,
    symbols_requested BIGINT NOT NULL,
    symbols_done BIGINT NOT NULL,
    symbols_failed TEXT COLLATE "C",
    bars_inserted BIGINT NOT NULL,
    bars_changed BIGINT NOT NULL,
    upstream_calls BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    symbols TEXT COLLATE "C",
    owner TEXT COLLATE "C",
    heartbeat_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_backfill_runs PRIMARY KEY (run_id),
    CONSTRAINT ck_backfill_runs_symbols_requested_low CHECK ("symbols_requested" >= 0),
    CONSTRAINT ck_backfill_runs_symbols_done_low CHECK ("symbols_done" >= 0),
    CONSTRAINT ck_backfill_runs_bars_inserted_low CHECK ("bars_inserted" >= 0),
    CONSTRAINT ck_backfill_runs_bars_changed_low CHECK ("bars_changed" >= 0),
    CONSTRAINT ck_backfill_runs_upstream_calls_low CHECK ("upstream_calls" >= 0),
    CONSTRAINT ck_backfill_runs_status_choice CHECK ("status" IN ('running', 'done', 'partial', 'failed', 'interrupted'))
)

CREATE TABLE backfill_progress (
    symbol TEXT COLLATE "C" NOT NULL,
    timeframe TEXT COLLATE "C" NOT NULL,
    oldest_bar DATE NOT NULL,
    newest_bar DATE NOT NULL,
    last_updated TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_backfill_progress PRIMARY KEY (symbol, timeframe)
)

CREATE TABLE backfill_gaps (
    symbol TEXT COLLATE "C" NOT NULL,
    timeframe TEXT COLLATE "C" NOT NULL,
    gap_start DATE NOT NULL,
    gap_end DATE NOT NULL,
    sessions BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    cause TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_backfill_gaps PRIMARY KEY (symbol, timeframe, gap_start),
    CONSTRAINT ck_backfill_gaps_sessions_low CHECK ("sessions" >= 0),
    CONSTRAINT ck_backfill_gaps_state_choice CHECK ("state" IN ('missing', 'verified_empty', 'unfillable', 'filled')),
    CONSTRAINT ck_backfill_gaps_attempts_low CHECK ("attempts" >= 0),
    CONSTRAINT ck_backfill_gaps_cause_choice CHECK ("cause" IN ('absent', 'skipped', 'hole', 'rejected', 'failed')),
    CONSTRAINT ck_backfill_gaps_gap_start_to_gap_end CHECK ("gap_start" <= "gap_end")
)

CREATE TABLE ingestion_audit (
    audit_id TEXT COLLATE "C" NOT NULL,
    job_id TEXT COLLATE "C" NOT NULL,
    symbol TEXT COLLATE "C" NOT NULL,
    dataset TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    window_start DATE,
    window_end DATE,
    attempt BIGINT NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    rows BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    timeframe TEXT COLLATE "C",
    pulled_at TIMESTAMP WITH TIME ZONE,
    raw_hash TEXT COLLATE "C",
    latency_ms DOUBLE PRECISION,
    error TEXT COLLATE "C",
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_ingestion_audit PRIMARY KEY (audit_id),
    CONSTRAINT ck_ingestion_audit_attempt_low CHECK ("attempt" >= 0),
    CONSTRAINT ck_ingestion_audit_outcome_choice CHECK ("outcome" IN ('stored', 'unchanged', 'empty', 'absent', 'transient', 'permanent', 'malformed', 'refused')),
    CONSTRAINT ck_ingestion_audit_rows_low CHECK ("rows" >= 0),
    CONSTRAINT ck_ingestion_audit_unchanged_low CHECK ("unchanged" >= 0),
    CONSTRAINT ck_ingestion_audit_latency_ms_finite CHECK ("latency_ms" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_ingestion_audit_latency_ms_low CHECK ("latency_ms" >= 0)
)

CREATE TABLE data_quality_log (
    symbol TEXT COLLATE "C" NOT NULL,
    timeframe TEXT COLLATE "C" NOT NULL,
    date DATE NOT NULL,
    score DOUBLE PRECISION,
    rows BIGINT NOT NULL,
    expected BIGINT NOT NULL,
    nulls BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    checks TEXT COLLATE "C",
    verdict TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_data_quality_log PRIMARY KEY (symbol, timeframe, date),
    CONSTRAINT ck_data_quality_log_score_finite CHECK ("score" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_data_quality_log_score_low CHECK ("score" >= 0),
    CONSTRAINT ck_data_quality_log_score_high CHECK ("score" <= 1),
    CONSTRAINT ck_data_quality_log_rows_low CHECK ("rows" >= 0),
    CONSTRAINT ck_data_quality_log_expected_low CHECK ("expected" >= 0),
    CONSTRAINT ck_data_quality_log_nulls_low CHECK ("nulls" >= 0),
    CONSTRAINT ck_data_quality_log_rejected_low CHECK ("rejected" >= 0),
    CONSTRAINT ck_data_quality_log_verdict_choice CHECK ("verdict" IN ('accepted', 'rejected'))
)

CREATE TABLE quota_usage (
    provider TEXT COLLATE "C" NOT NULL,
    unit TEXT COLLATE "C" NOT NULL,
    window_start TIMESTAMP WITH TIME ZONE NOT NULL,
    used BIGINT NOT NULL,
    "limit" BIGINT NOT NULL,
    CONSTRAINT pk_quota_usage PRIMARY KEY (provider, unit, window_start),
    CONSTRAINT ck_quota_usage_used_low CHECK ("used" >= 0),
    CONSTRAINT ck_quota_usage_limit_low CHECK ("limit" >= 0)
)

CREATE TABLE price_revisions (
    symbol TEXT COLLATE "C" NOT NULL,
    date DATE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    "old" DOUBLE PRECISION,
    "new" DOUBLE PRECISION,
    reason TEXT COLLATE "C" NOT NULL,
    raw_hash TEXT COLLATE "C",
    CONSTRAINT pk_price_revisions PRIMARY KEY (symbol, date, recorded_at, field),
    CONSTRAINT ck_price_revisions_old_finite CHECK ("old" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_price_revisions_new_finite CHECK ("new" BETWEEN -1e+308 AND 1e+308)
)

CREATE TABLE provider_arms (
    provider TEXT COLLATE "C" NOT NULL,
    dataset TEXT COLLATE "C" NOT NULL,
    alpha DOUBLE PRECISION NOT NULL,
    beta DOUBLE PRECISION NOT NULL,
    learnt_at TIMESTAMP WITH TIME ZONE,
    asked_at TIMESTAMP WITH TIME ZONE,
    failures BIGINT NOT NULL,
    open_until TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_provider_arms PRIMARY KEY (provider, dataset),
    CONSTRAINT ck_provider_arms_alpha_finite CHECK ("alpha" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_provider_arms_alpha_low CHECK ("alpha" >= 0),
    CONSTRAINT ck_provider_arms_beta_finite CHECK ("beta" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_provider_arms_beta_low CHECK ("beta" >= 0),
    CONSTRAINT ck_provider_arms_failures_low CHECK ("failures" >= 0)
)

CREATE TABLE provider_decisions (
    decision_id TEXT COLLATE "C" NOT NULL,
    job_id TEXT COLLATE "C" NOT NULL,
    symbol TEXT COLLATE "C" NOT NULL,
    dataset TEXT COLLATE "C" NOT NULL,
    chosen TEXT COLLATE "C" NOT NULL,
    tried TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    seed BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_provider_decisions PRIMARY KEY (decision_id),
    CONSTRAINT ck_provider_decisions_seed_low CHECK ("seed" >= 0)
)

CREATE TABLE provider_metrics (
    provider TEXT COLLATE "C" NOT NULL,
    date DATE NOT NULL,
    requests BIGINT NOT NULL,
    successes BIGINT NOT NULL,
    rate_limited BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    median_latency_ms DOUBLE PRECISION,
    quality DOUBLE PRECISION,
    CONSTRAINT pk_provider_metrics PRIMARY KEY (provider, date),
    CONSTRAINT ck_provider_metrics_requests_low CHECK ("requests" >= 0),
    CONSTRAINT ck_provider_metrics_successes_low CHECK ("successes" >= 0),
    CONSTRAINT ck_provider_metrics_rate_limited_low CHECK ("rate_limited" >= 0),
    CONSTRAINT ck_provider_metrics_failures_low CHECK ("failures" >= 0),
    CONSTRAINT ck_provider_metrics_median_latency_ms_finite CHECK ("median_latency_ms" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_provider_metrics_median_latency_ms_low CHECK ("median_latency_ms" >= 0),
    CONSTRAINT ck_provider_metrics_quality_finite CHECK ("quality" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_provider_metrics_quality_low CHECK ("quality" >= 0),
    CONSTRAINT ck_provider_metrics_quality_high CHECK ("quality" <= 1)
)

CREATE TABLE execution_feedback (
    order_id TEXT COLLATE "C" NOT NULL,
    symbol TEXT COLLATE "C" NOT NULL,
    side TEXT COLLATE "C" NOT NULL,
    quantity DOUBLE PRECISION NOT NULL,
    price DOUBLE PRECISION NOT NULL,
    filled_at TIMESTAMP WITH TIME ZONE NOT NULL,
    slippage_bps DOUBLE PRECISION,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_execution_feedback PRIMARY KEY (order_id),
    CONSTRAINT ck_execution_feedback_side_choice CHECK ("side" IN ('buy', 'sell')),
    CONSTRAINT ck_execution_feedback_quantity_finite CHECK ("quantity" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_execution_feedback_quantity_above CHECK ("quantity" > 0),
    CONSTRAINT ck_execution_feedback_quantity_high CHECK ("quantity" <= 1000000000000.0),
    CONSTRAINT ck_execution_feedback_price_finite CHECK ("price" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_execution_feedback_price_above CHECK ("price" > 0),
    CONSTRAINT ck_execution_feedback_price_high CHECK ("price" <= 100000000.0),
    CONSTRAINT ck_execution_feedback_slippage_bps_finite CHECK ("slippage_bps" BETWEEN -1e+308 AND 1e+308),
    CONSTRAINT ck_execution_feedback_slippage_bps_low CHECK ("slippage_bps" >= -1000000.0),
    CONSTRAINT ck_execution_feedback_slippage_bps_high CHECK ("slippage_bps" <= 1000000.0)
)

CREATE TABLE house (
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_house PRIMARY KEY (name)
)

CREATE VIEW abri_latest AS
SELECT
    "as_of",
    "method",
    "knowledge_at",
    "input_digest",
    "kind",
    "status",
    "concentration_score",
    "correlation_score",
    "credit_stress_score",
    "gpu_deflation_score",
    "capex_intensity_score",
    "revenue_gap_score",
    "deal_flow_score",
    "composite_score",
    "level",
    "vulnerability",
    "stress",
    "abri_c",
    "p5",
    "p50",
    "p95",
    "coverage",
    "crowded",
    "inputs",
    "supersedes",
    "reason",
    "recorded_at"
FROM (
    SELECT *, row_number() OVER (
        PARTITION BY as_of, method
        ORDER BY
            CASE kind WHEN 'live' THEN 0 ELSE 1 END,
            CASE kind WHEN 'live' THEN recorded_at END,
            recorded_at DESC, knowledge_at DESC, input_digest
    ) AS place
    FROM abri_history
    WHERE kind IN ('live', 'reconstructed')
) AS ranked
WHERE place = 1

CREATE VIEW ohlc_bars AS
SELECT
    b.symbol, b.timeframe, b."datetime", b."date",
    b."open", b."high", b."low", b."close", CAST(NULL AS DOUBLE PRECISION) AS adj_close, b.volume, b.source_provider
FROM price_history_intraday AS b
UNION ALL
SELECT b.symbol, '1d', ("date"::timestamp AT TIME ZONE 'UTC'), b."date", b."open", b."high", b."low", b."close", b.adj_close, b.volume, b.source_provider
FROM price_history_daily AS b
UNION ALL
SELECT
    w.symbol, '1w', ("monday"::timestamp AT TIME ZONE 'UTC'), w.monday,
    o."open", w.high, w.low, c."close", c.adj_close, w.volume, c.source_provider
FROM (
    SELECT
        symbol, date_trunc('week', "date"::timestamp)::date AS monday, min("date") AS first_day, max("date") AS last_day,
        max(high) AS high, min(low) AS low, CAST(sum(volume) AS BIGINT) AS volume
    FROM price_history_daily
    GROUP BY symbol, date_trunc('week', "date"::timestamp)::date
) AS w
JOIN price_history_daily AS o ON o.symbol = w.symbol AND o."date" = w.first_day
JOIN price_history_daily AS c ON c.symbol = w.symbol AND c."date" = w.last_day
WHERE w.monday < (SELECT date_trunc('week', "date"::timestamp)::date FROM price_history_daily ORDER BY "date" DESC LIMIT 1)

CREATE FUNCTION abri_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = TG_TABLE_NAME || ' is append-only';
END
$$

CREATE TRIGGER abri_history_append_only BEFORE UPDATE OR DELETE ON "abri_history" FOR EACH ROW EXECUTE FUNCTION abri_append_only()

CREATE TRIGGER abri_history_no_truncate BEFORE TRUNCATE ON "abri_history" FOR EACH STATEMENT EXECUTE FUNCTION abri_append_only()

CREATE TRIGGER ingestion_audit_append_only BEFORE UPDATE OR DELETE ON "ingestion_audit" FOR EACH ROW EXECUTE FUNCTION abri_append_only()

CREATE TRIGGER ingestion_audit_no_truncate BEFORE TRUNCATE ON "ingestion_audit" FOR EACH STATEMENT EXECUTE FUNCTION abri_append_only()

CREATE TRIGGER price_revisions_append_only BEFORE UPDATE OR DELETE ON "price_revisions" FOR EACH ROW EXECUTE FUNCTION abri_append_only()

CREATE TRIGGER price_revisions_no_truncate BEFORE TRUNCATE ON "price_revisions" FOR EACH STATEMENT EXECUTE FUNCTION abri_append_only()

CREATE TRIGGER provider_decisions_append_only BEFORE UPDATE OR DELETE ON "provider_decisions" FOR EACH ROW EXECUTE FUNCTION abri_append_only()

CREATE TRIGGER provider_decisions_no_truncate BEFORE TRUNCATE ON "provider_decisions" FOR EACH STATEMENT EXECUTE FUNCTION abri_append_only()
