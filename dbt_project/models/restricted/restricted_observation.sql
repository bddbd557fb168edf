-- Grain: that of core.fct_observation, for restricted sources: what their own file under restricted/ ships.
{{ shipped_observations("restricted", rule="own_exclusion_rule") }}
