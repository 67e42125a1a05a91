-- Fails if a row of Northwind refers to a row that hasn't arrived, because then employees have
-- no manager or region, and types belong to no customer.
{{ config(severity='warn') }}
{%- set customers = ref('stg_northwind__customers') -%}
{%- set employees = ref('stg_northwind__employees') -%}
{%- set territories = ref('stg_northwind__territories') %}

{{ rows_without_parents([
    (employees, 'reports_to_employee_id', employees, 'employee_id'),
    (ref('stg_northwind__employee_territories'), 'territory_id', territories, 'territory_id'),
    (territories, 'region_id', ref('stg_northwind__region'), 'region_id'),
    (ref('stg_northwind__customer_customer_demo'), 'customer_id', customers, 'customer_id'),
]) }}
