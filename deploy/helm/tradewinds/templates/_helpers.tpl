{{/* The name of everything in a release: the release's, with the chart's unless it says it already. A Job's has 63 characters. */}}
{{- define "tradewinds.name" -}}
{{- $chart := .Values.nameOverride | default .Chart.Name -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name $chart) (contains $chart .Release.Name) -}}
{{- .Values.fullnameOverride | default $name | trunc 36 | trimSuffix "-" -}}
{{- end }}

{{/* What selects a release's pods: (dict "root" $ "component" "people"). */}}
{{- define "tradewinds.selector" -}}
app.kubernetes.io/name: {{ .root.Values.nameOverride | default .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "tradewinds.labels" -}}
{{ include "tradewinds.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "tradewinds.claim" -}}
{{ .Values.persistence.existingClaim | default (printf "%s-home" (include "tradewinds.name" .)) }}
{{- end }}

{{/* What every pod of the chart has, and every one lacks: a user, no rights, no token of the cluster. */}}
{{- define "tradewinds.pod" -}}
serviceAccountName: {{ include "tradewinds.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "tradewinds.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  privileged: false
  capabilities: { drop: [ALL] }
{{- end }}

{{/* Where a part's pods may run, from its values. */}}
{{- define "tradewinds.placement" -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" }}
{{- with get $ $key }}
{{ $key }}: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* The settings: all that are no secret, and of the Secret only the keys that the part's values name: (dict "root" $ "part" values). */}}
{{- define "tradewinds.settings" -}}
envFrom:
  - configMapRef: { name: {{ include "tradewinds.name" .root }} }
env:
  {{- $keys := .part.secretKeys }}
  {{- if eq .root.Values.target "postgres" }}
  {{- $keys = append $keys "TRADEWINDS_POSTGRES_PASSWORD" }}
  {{- end }}
  {{- range uniq $keys }}
  - name: {{ . }}
    valueFrom:
      secretKeyRef: { name: {{ $.root.Values.existingSecret }}, key: {{ . }} }
  {{- end }}
  {{- if eq .root.Values.target "spark" }}
  - { name: SPARK_CONF_DIR, value: /etc/spark }
  # By which executors reach the driver, and the pod itself.
  - { name: SPARK_LOCAL_IP, valueFrom: { fieldRef: { fieldPath: status.podIP } } }
  {{- end }}
  {{- with .part.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* spark-defaults.conf, as a mount and as a volume. */}}
{{- define "tradewinds.sparkMount" -}}
{{- if eq .Values.target "spark" }}
- { name: spark, mountPath: /etc/spark, readOnly: true }
{{- end }}
{{- end }}

{{- define "tradewinds.sparkVolume" -}}
{{- if eq .Values.target "spark" }}
- name: spark
  configMap: { name: {{ include "tradewinds.name" . }}-spark }
{{- end }}
{{- end }}

{{/* Whether what is published lies on the volume, where only one node sees it: "yes" or nothing. */}}
{{- define "tradewinds.publishesOnVolume" -}}
{{- if and (eq .Values.target "duckdb") (not (hasPrefix "s3://" (.Values.settings.TRADEWINDS_PUBLISHED_URL | default ""))) -}}
yes
{{- end -}}
{{- end }}

{{/* A Job's spec around one command: (dict "root" $ "component" "schedule" "args" list). */}}
{{- define "tradewinds.job" -}}
backoffLimit: 2
activeDeadlineSeconds: {{ .root.Values.pipeline.activeDeadlineSeconds }}
ttlSecondsAfterFinished: 604800
# Exit 2 is a wrong request and 3 a missing prerequisite: trying again mends neither.
podFailurePolicy:
  rules:
    - action: FailJob
      onExitCodes: { containerName: tradewinds, operator: In, values: [2, 3] }
    - action: Ignore
      onPodConditions: [{ type: DisruptionTarget, status: "True" }]
template:
  metadata:
    labels: {{- include "tradewinds.labels" . | nindent 6 }}
    {{- with .root.Values.pipeline.podAnnotations }}
    annotations: {{- toYaml . | nindent 6 }}
    {{- end }}
  spec:
    restartPolicy: Never
    terminationGracePeriodSeconds: 60
    {{- include "tradewinds.pod" .root | nindent 4 }}
    {{- include "tradewinds.placement" .root.Values.pipeline | nindent 4 }}
    containers:
      - name: tradewinds
        {{- include "tradewinds.container" .root | nindent 8 }}
        args: {{ prepend .args "tradewinds" | toJson }}
        {{- include "tradewinds.settings" (dict "root" .root "part" .root.Values.pipeline) | nindent 8 }}
        resources: {{- toYaml .root.Values.pipeline.resources | nindent 10 }}
        volumeMounts:
          - { name: home, mountPath: /data }
          - { name: tmp, mountPath: /tmp }
          {{- include "tradewinds.sparkMount" .root | nindent 10 }}
    volumes:
      - name: home
        persistentVolumeClaim: { claimName: {{ include "tradewinds.claim" .root }} }
      - name: tmp
        emptyDir: {}
      {{- include "tradewinds.sparkVolume" .root | nindent 6 }}
{{- end }}
