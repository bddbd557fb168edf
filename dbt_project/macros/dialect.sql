{#-
  What only DuckDB understands, each under one name of ours; a test finds it in any other file. For Spark sqlglot and
  warehouse/spark/rules.py turn it. What most engines share is written out in the models.

  Arguments are SQL expressions unless said otherwise. Patterns are RE2's, replacements name groups \1, \2; in a
  Jinja text a backslash is written twice.
-#}
{# A hint after `as` of a CTE with wide rows: each reader makes the columns that it needs; DuckDB would keep whole rows. #}
{% macro made_for_each_reader() -%} not materialized {%- endmacro %}

{# A list of usage warnings: the words of `conditions` (a Jinja dict, word → SQL condition) that hold, in its order;
   sorted and without repeats where the list `beside` is joined in. Without conditions: an empty list. #}
{% macro warnings(conditions={}, beside=none) -%}
    {%- set ours -%}
        {%- if conditions -%}
            list_filter(
                [
                    {%- for word, condition in conditions.items() -%}
                        case when {{ condition }} then '{{ word }}' end{{ ", " if not loop.last }}
                    {%- endfor -%}
                ],
                lambda word:word is not null
            )
        {%- else -%} []::varchar[]
        {%- endif -%}
    {%- endset -%}
    {%- if beside is none -%} {{ ours }}
    {%- else -%} list_sort(list_distinct(list_concat(coalesce({{ beside }}, []::varchar[]), {{ ours }})))
    {%- endif -%}
{%- endmacro %}

{# An aggregate: all words of a column of lists, sorted, each once. #}
{% macro all_words(words) -%}
    list_sort(list_distinct(flatten(list(coalesce({{ words }}, []::varchar[])))))
{%- endmacro %}

{# Whether a list has a word. #}
{% macro has_word(words, word) -%} list_contains({{ words }}, {{ word }}) {%- endmacro %}

{# A list without a word. #}
{% macro without_word(words, word) -%} list_filter({{ words }}, lambda one:one <> {{ word }}) {%- endmacro %}

{# The parts of a text that bars separate (a|b|c) as a list, trimmed, empty ones left out. #}
{% macro split_words(text) -%}
    list_filter(
        list_transform(string_split(coalesce({{ text }}, ''), '|'), lambda word:trim(word)), lambda word:word <> ''
    )
{%- endmacro %}

{# A bracketed query: a row for each such part of the column `text` of a relation: `key` and `word`. #}
{% macro word_rows(relation, key, text) -%}
    (select {{ key }}, unnest({{ split_words(text) }}) as word from {{ relation }})
{%- endmacro %}

{# "ROYAL SURREY NHS FOUNDATION TRUST" → "Royal Surrey NHS Foundation Trust". #}
{% macro title_case(name) -%}
    array_to_string(
        list_transform(
            string_split(lower({{ name }}), ' '),
            lambda word,
            place: case
                when word in ('nhs')
                then upper(word)
                when place > 1 and word in ('and', 'of', 'the', 'in', 'upon')
                then word
                else upper(left(word, 1)) || substr(word, 2)
            end
        ),
        ' '
    )
{%- endmacro %}

{# Whether a pattern occurs in a text. #}
{% macro matches(text, pattern) -%} regexp_matches({{ text }}, {{ pattern }}) {%- endmacro %}

{# Whether a text is a pattern from its first to its last character. #}
{% macro matches_whole(text, pattern) -%} regexp_full_match({{ text }}, {{ pattern }}) {%- endmacro %}

{# The first place of a text that matches, or the group (a number) of it; null where none does. #}
{% macro first_match(text, pattern, group=0) -%}
    nullif(regexp_extract({{ text }}, {{ pattern }}, {{ group }}), '')
{%- endmacro %}

{# A text with every match replaced. #}
{% macro replace_matches(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ pattern }}, {{ replacement }}, 'g')
{%- endmacro %}

{# A date from three whole numbers. #}
{% macro date_of(year, month, day) -%} make_date({{ year }}, {{ month }}, {{ day }}) {%- endmacro %}

{# The date so many months later. #}
{% macro months_later(day, months) -%}({{ day }} + to_months({{ months }}))::date {%- endmacro %}

{# How many days later the one date is than the other. #}
{% macro days_between(earlier, later) -%} date_diff('day', {{ earlier }}, {{ later }}) {%- endmacro %}

{# How many months a period of whole months has. #}
{% macro months_of(period_start, period_end) -%}
    date_diff('month', {{ period_start }}, {{ period_end }} + 1)
{%- endmacro %}

{# An aggregate, also over a window: "sum" or "avg" with what rounding loses carried along (Kahan). #}
{% macro compensated(aggregate, x) -%} f{{ aggregate }} ({{ x }}) {%- endmacro %}

{# An aggregate, also over a window: the quantile at a share, interpolated between neighbours (R's type 7). #}
{% macro quantile(x, share) -%} quantile_cont({{ x }}, {{ share }}) {%- endmacro %}

{# The gamma(shape, 1) quantile of a tail, which is chi-square(p; 2 x shape) / 2: the end of an exact Poisson
   interval. `side` ("lower", "upper") and `level` (95, 99.8) are Jinja values. `shape` > 0 may be fractional and is
   repeated in the text: pass a column. #}
{# DuckDB has no such function. Newton's method on ln P(shape, e^u) = ln p, where P is the regularised lower
   incomplete gamma function by its power series; concave in u, so it converges from any start. Agrees with scipy to
   about 1e-13. #}
{% macro gamma_quantile(shape, side, level) -%}
    {%- set a = "(" ~ shape ~ ")::double" -%}
    {%- set p = tail_probability(level) if side == "lower" else "(1 - " ~ tail_probability(level) ~ ")" -%}
    {%- set sign = "-" if side == "lower" else "+" -%}
    {%- set cube_root = "(1 - 1 / (9 * " ~ a ~ ") " ~ sign ~ " " ~ z_value(level) ~ " / (3 * sqrt(" ~ a ~ ")))" -%}
    exp(
        list_reduce(
            [0, 0, 0, 0, 0, 0, 0, 0]::double[],
            lambda u,
            step:list_transform(
                [
                    list_sum(
                        list_transform(
                            range((greatest(exp(u) - {{ a }}, 0) + 9 * sqrt(exp(u)) + 30)::bigint),
                            lambda k:exp(k * u + lgamma({{ a }} + 1) - lgamma({{ a }} + 1 + k))
                        )
                    )
                ],
                lambda s:u - ({{ a }} * u - exp(u) - lgamma({{ a }} + 1) + ln(s) - ln({{ p }})) * s / {{ a }}
            )[1],
            case
                when {{ cube_root }} > 0.3
                then ln({{ a }}) + 3 * ln({{ cube_root }})
                else (ln({{ p }}) + lgamma({{ a }} + 1)) / {{ a }}
            end
        )
    )
{%- endmacro %}

{# A number that rows share where they share these columns (a Jinja list); others share it seldom. #}
{% macro row_hash(columns) -%} hash({{ columns | join(", ") }}) {%- endmacro %}
