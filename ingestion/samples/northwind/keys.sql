-- Keys come after the rows: one pass over a full table is faster than a check for each row.
alter table categories
    add constraint pk_categories primary key (category_id);
alter table customer_customer_demo
    add constraint pk_customer_customer_demo primary key (customer_id, customer_type_id);
alter table customer_demographics
    add constraint pk_customer_demographics primary key (customer_type_id);
alter table customers
    add constraint pk_customers primary key (customer_id);
alter table employees
    add constraint pk_employees primary key (employee_id);
alter table employee_territories
    add constraint pk_employee_territories primary key (employee_id, territory_id);
alter table orders
    add constraint pk_orders primary key (order_id);
alter table products
    add constraint pk_products primary key (product_id);
alter table region
    add constraint pk_region primary key (region_id);
alter table shippers
    add constraint pk_shippers primary key (shipper_id);
alter table suppliers
    add constraint pk_suppliers primary key (supplier_id);
alter table territories
    add constraint pk_territories primary key (territory_id);
alter table us_states
    add constraint pk_usstates primary key (state_id);

alter table orders
    add constraint fk_orders_customers foreign key (customer_id) references customers,
    add constraint fk_orders_employees foreign key (employee_id) references employees,
    add constraint fk_orders_shippers foreign key (ship_via) references shippers;
alter table products
    add constraint fk_products_categories foreign key (category_id) references categories,
    add constraint fk_products_suppliers foreign key (supplier_id) references suppliers;
alter table territories
    add constraint fk_territories_region foreign key (region_id) references region;
alter table employee_territories
    add constraint fk_employee_territories_territories
    foreign key (territory_id) references territories,
    add constraint fk_employee_territories_employees
    foreign key (employee_id) references employees;
alter table customer_customer_demo
    add constraint fk_customer_customer_demo_customer_demographics
    foreign key (customer_type_id) references customer_demographics,
    add constraint fk_customer_customer_demo_customers
    foreign key (customer_id) references customers;
alter table employees
    add constraint fk_employees_employees foreign key (reports_to) references employees;
