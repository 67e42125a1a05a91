-- Northwind's 13 tables as Postgres has them; keys.sql adds the keys once the rows are in.
drop table if exists customer_customer_demo;
drop table if exists customer_demographics;
drop table if exists employee_territories;
drop table if exists orders;
drop table if exists customers;
drop table if exists products;
drop table if exists shippers;
drop table if exists suppliers;
drop table if exists territories;
drop table if exists us_states;
drop table if exists categories;
drop table if exists region;
drop table if exists employees;

create table categories (
    category_id smallint not null,
    category_name character varying(15) not null,
    description text,
    picture bytea
);

create table customer_customer_demo (
    customer_id bpchar not null,
    customer_type_id bpchar not null
);

create table customer_demographics (
    customer_type_id bpchar not null,
    customer_desc text
);

create table customers (
    customer_id bpchar not null,
    company_name character varying(40) not null,
    contact_name character varying(30),
    contact_title character varying(30),
    address character varying(60),
    city character varying(15),
    region character varying(15),
    postal_code character varying(10),
    country character varying(15),
    phone character varying(24),
    fax character varying(24)
);

create table employees (
    employee_id smallint not null,
    last_name character varying(20) not null,
    first_name character varying(10) not null,
    title character varying(30),
    title_of_courtesy character varying(25),
    birth_date date,
    hire_date date,
    address character varying(60),
    city character varying(15),
    region character varying(15),
    postal_code character varying(10),
    country character varying(15),
    home_phone character varying(24),
    extension character varying(4),
    photo bytea,
    notes text,
    reports_to smallint,
    photo_path character varying(255)
);

create table employee_territories (
    employee_id smallint not null,
    territory_id character varying(20) not null
);

create table orders (
    order_id smallint not null,
    customer_id bpchar,
    employee_id smallint,
    order_date date,
    required_date date,
    shipped_date date,
    ship_via smallint,
    freight real,
    ship_name character varying(40),
    ship_address character varying(60),
    ship_city character varying(15),
    ship_region character varying(15),
    ship_postal_code character varying(10),
    ship_country character varying(15)
);

create table products (
    product_id smallint not null,
    product_name character varying(40) not null,
    supplier_id smallint,
    category_id smallint,
    quantity_per_unit character varying(20),
    unit_price real,
    units_in_stock smallint,
    units_on_order smallint,
    reorder_level smallint,
    discontinued integer not null
);

create table region (
    region_id smallint not null,
    region_description bpchar not null
);

create table shippers (
    shipper_id smallint not null,
    company_name character varying(40) not null,
    phone character varying(24)
);

create table suppliers (
    supplier_id smallint not null,
    company_name character varying(40) not null,
    contact_name character varying(30),
    contact_title character varying(30),
    address character varying(60),
    city character varying(15),
    region character varying(15),
    postal_code character varying(10),
    country character varying(15),
    phone character varying(24),
    fax character varying(24),
    homepage text
);

create table territories (
    territory_id character varying(20) not null,
    territory_description bpchar not null,
    region_id smallint not null
);

create table us_states (
    state_id smallint not null,
    state_name character varying(100),
    state_abbr character varying(2),
    state_region character varying(50)
);
