// What Grafana's own types say a dashboard of ours may hold: `check.sh` has the compiler compare dashboard.json with it.
import type { Dashboard, FieldConfigSource, Panel, RowPanel } from "@grafana/schema";
import type { Options as StatOptions } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type {
  FieldConfig as GraphField,
  Options as GraphOptions,
} from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

// JSON holds the values of enums, not their names.
type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;

type Of<Kind extends string, Options, Custom> = Omit<Plain<Panel>, "type" | "options" | "fieldConfig" | "targets"> & {
  type: Kind;
  options: Plain<Options>;
  fieldConfig: Plain<Omit<FieldConfigSource, "defaults">> & {
    defaults: Omit<Plain<FieldConfigSource["defaults"]>, "custom"> & { custom?: Plain<Custom> };
  };
  targets: Query[];
};

// A query of Prometheus' data source, whose types are not in the package.
interface Query {
  datasource: { type: "prometheus"; uid: string };
  expr: string;
  instant: false;
  legendFormat: string;
  range: true;
  refId: string;
}

type Annotations = NonNullable<Plain<Dashboard>["annotations"]>;
type Annotation = NonNullable<Annotations["list"]>[number];

export type Ours = Omit<Plain<Dashboard>, "panels" | "annotations"> & {
  panels: (Of<"stat", StatOptions, never> | Of<"timeseries", GraphOptions, Partial<GraphField>> | Plain<RowPanel>)[];
  annotations: { list: (Annotation & { expr: string })[] }; // of the data source, like a query
};
