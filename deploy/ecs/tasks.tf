locals {
  # Fargate kills a task 120 s after SIGTERM at the latest. What runs longer is handed back to the queue before.
  stop_timeout   = 120
  shutdown_grace = "100s"

  settings = merge({
    ENABLE_HEALTH_CHECK = "true"
    HEALTH_CHECK_PORT   = "8080"
    LOG_FORMAT          = "json"
    AWS_REGION          = var.region
    KILN_STORE          = "s3://${var.bucket}"
  }, var.settings)

  worker_settings = merge(local.settings, {
    WORKER_CONCURRENCY = tostring(var.worker.concurrency)
    SHUTDOWN_GRACE     = local.shutdown_grace
  })

  api_settings = merge(local.settings, {
    KILN_HTTP_ADDRESS = "0.0.0.0"
    KILN_HTTP_PORT    = "8000"
  })

  # What all containers have in common.
  container = {
    image                  = var.image
    essential              = true
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.kiln.name
        awslogs-region        = var.region
        awslogs-stream-prefix = "kiln"
        # A full buffer loses lines and never holds up the work.
        mode = "non-blocking"
      }
    }
  }

  # As the image has it: ECS does not look there.
  health_check = {
    command     = ["CMD-SHELL", "curl -fsS -m 4 -o /dev/null http://127.0.0.1:8080/health"]
    interval    = 15
    timeout     = 5
    retries     = 3
    startPeriod = 30
  }

  secrets = [
    { name = "DATABASE_URL", valueFrom = var.secrets.database },
    { name = "KILN_WEBHOOK_SECRET", valueFrom = var.secrets.webhooks },
  ]
}

resource "aws_cloudwatch_log_group" "kiln" {
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_days
}

resource "aws_ecs_task_definition" "worker" {
  family                   = "${var.name}-worker"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.worker.cpu
  memory                   = var.worker.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  container_definitions = jsonencode([
    merge(local.container, {
      name        = "worker"
      command     = ["worker"]
      environment = [for name, value in local.worker_settings : { name = name, value = value }]
      secrets     = local.secrets
      stopTimeout = local.stop_timeout
      healthCheck = local.health_check
    }),
  ])
}

resource "aws_ecs_task_definition" "api" {
  family                   = "${var.name}-api"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 512
  memory                   = 1024
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  container_definitions = jsonencode([
    merge(local.container, {
      name         = "api"
      command      = ["serve"]
      environment  = [for name, value in local.api_settings : { name = name, value = value }]
      secrets      = local.secrets
      stopTimeout  = 60
      healthCheck  = local.health_check
      portMappings = [{ containerPort = 8000 }, { containerPort = 8080 }]
    }),
  ])
}

# Run once for each release, before the services; the output "migrate" is the command.
resource "aws_ecs_task_definition" "migrate" {
  family                   = "${var.name}-migrate"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  container_definitions = jsonencode([
    merge(local.container, {
      name    = "migrate"
      command = ["migrate"]
      secrets = [{ name = "DATABASE_URL", valueFrom = var.secrets.owner }]
    }),
  ])
}

# Tells CloudWatch how much work there is: see autoscaling.tf.
resource "aws_ecs_task_definition" "depth" {
  family                   = "${var.name}-depth"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  container_definitions = jsonencode([
    merge(local.container, {
      name            = "depth"
      image           = var.psql_image
      user            = "65534:65534"
      linuxParameters = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
      entryPoint      = ["sh", "-c"]
      # One line of JSON a time. Where the database cannot be asked there is none, and nothing is scaled.
      command     = ["while sleep 20; do psql -XqAt -d \"$DATABASE_URL\" -c \"$QUERY\"; done"]
      environment = [{ name = "QUERY", value = local.depth }]
      secrets     = [{ name = "DATABASE_URL", valueFrom = var.secrets.database }]
    }),
  ])
}
