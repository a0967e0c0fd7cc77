/** Upper bounds in seconds for the time that logs take to arrive: from a second to a week. */
export const DELIVERY_BUCKETS = [
  1, 5, 15, 60, 300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800,
] as const;
