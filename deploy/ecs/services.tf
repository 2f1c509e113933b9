data "aws_ecs_cluster" "cluster" {
  cluster_name = var.cluster
}

# Nothing comes in to workers; out they go to Postgres, S3, and the URLs of jobs and webhooks.
resource "aws_security_group" "worker" {
  name        = "${var.name}-worker"
  description = "kiln workers"
  vpc_id      = var.vpc

  egress {
    from_port        = 0
    to_port          = 0
    protocol         = "-1"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
}

resource "aws_security_group" "api" {
  name        = "${var.name}-api"
  description = "kiln API"
  vpc_id      = var.vpc

  # The API, and the health that the load balancer looks at.
  dynamic "ingress" {
    for_each = var.load_balancer == null ? [] : [8000, 8080]

    content {
      from_port       = ingress.value
      to_port         = ingress.value
      protocol        = "tcp"
      security_groups = [var.load_balancer.security_group_id]
    }
  }

  egress {
    from_port        = 0
    to_port          = 0
    protocol         = "-1"
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
}

resource "aws_ecs_service" "worker" {
  name            = "${var.name}-worker"
  cluster         = data.aws_ecs_cluster.cluster.id
  task_definition = aws_ecs_task_definition.worker.arn
  launch_type     = "FARGATE"
  desired_count   = var.worker.min

  # New ones begin while old ones finish what they have: the queue gives each job to one of them.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = var.subnets
    security_groups = [aws_security_group.worker.id]
  }

  lifecycle {
    # autoscaling.tf sets it.
    ignore_changes = [desired_count]
  }
}

resource "aws_ecs_service" "api" {
  name            = "${var.name}-api"
  cluster         = data.aws_ecs_cluster.cluster.id
  task_definition = aws_ecs_task_definition.api.arn
  launch_type     = "FARGATE"
  desired_count   = var.api_count

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  # No circuit breaker: the API does not start before there is a token, which is made after the first migration.

  network_configuration {
    subnets         = var.subnets
    security_groups = [aws_security_group.api.id]
  }

  dynamic "load_balancer" {
    for_each = var.load_balancer == null ? [] : [var.load_balancer]

    content {
      target_group_arn = load_balancer.value.target_group_arn
      container_name   = "api"
      container_port   = 8000
    }
  }
}

resource "aws_ecs_service" "depth" {
  name            = "${var.name}-depth"
  cluster         = data.aws_ecs_cluster.cluster.id
  task_definition = aws_ecs_task_definition.depth.arn
  launch_type     = "FARGATE"
  desired_count   = 1

  network_configuration {
    subnets         = var.subnets
    security_groups = [aws_security_group.worker.id]
  }
}
