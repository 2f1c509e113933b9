int kiln_x;
